"""The network to a device is slow, trickles, is cut, reset, half-open: what she lacks comes again when she is
back, by SMS where she is not, and rings once for an alert."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from simulations.twilio_double import TwilioDouble
from tests.faults.network import Link, Network
from tests.faults.outside.served import SMS_AFTER_S, Served, events_of, got, report_at, until
from tests.faults.phone import Phone, switched_on

pytestmark = pytest.mark.timeout(120)


class Medic:
    """With a device that goes by way of the network."""

    def __init__(self, world: Served, room: httpx.AsyncClient, place: dict[str, float], number: str) -> None:
        self.world, self.room, self.place, self.number = world, room, place, number
        self.incident = ""
        self.alert_id = ""

    async def reported(self, reference: str) -> None:
        """An incident beside her; she is the one who is asked."""
        opened = (await self.room.post("/v1/incidents", json=report_at(self.place, reference))).json()
        assert opened["alerting"]["asked"] == 1
        self.incident, self.alert_id = opened["id"], opened["alerts"][0]["id"]

    async def alert(self) -> dict[str, Any]:
        shown: dict[str, Any] = (await got(self.room, f"/v1/incidents/{self.incident}"))["alerts"][0]
        return shown

    async def until_state(self, state: str) -> None:
        async def so() -> bool:
            return bool((await self.alert())["state"] == state)

        await until(so)

    async def said(self, kind: str) -> list[dict[str, Any]]:
        """Its events of one type, with when they were since the alert's request."""
        events = await events_of(self.room, self.incident)
        return [event["data"] | {"at": event["at"]} for event in events if event["type"] == kind]


async def a_medic(world: Served, network: Network) -> tuple[Medic, Phone]:
    room, place = await world.room(), world.place()
    medic_id = await world.medic_at(place)
    medic = Medic(world, room, place, await world.phone(medic_id))
    return medic, Phone(await world.token(medic_id), network.url)


async def connected(phone: Phone, network: Network) -> Link:
    """The link that her device has."""

    async def so() -> bool:
        return phone.connected

    await until(so)
    return await network.link()


def alerts(phone: Phone) -> list[str]:
    """The ids of the alert frames that reached her, repeats too."""
    return [frame["id"] for frame in phone.heard if frame["type"] == "alert"]


async def rung(phone: Phone, alert_id: str) -> None:
    async def so() -> bool:
        return alert_id in phone.rung

    await until(so)


async def no_socket(world: Served) -> None:
    async def so() -> bool:
        return await world.sockets() == 0

    await until(so)


async def sms_after_s(medic: Medic) -> float:
    """How long after the alert's request the SMS was asked for."""
    (asked,) = await medic.said("AlertRequested")
    requests = await medic.said("NotificationRequested")
    (sms,) = [one for one in requests if one["channel"] == "sms"]
    return (datetime.fromisoformat(sms["at"]) - datetime.fromisoformat(asked["at"])).total_seconds()


async def test_a_silent_device_is_dropped_and_her_alert_goes_by_sms_at_its_time(
    texting: Served, way_to_phones: Network, twilio: TwilioDouble
) -> None:
    medic, phone = await a_medic(texting, way_to_phones)
    async with switched_on(phone):
        link = await connected(phone, way_to_phones)
        assert await texting.sockets() == 1
        link.vanish()
        await medic.reported("R-1")
        await way_to_phones.happened("vanished")
        await no_socket(texting)  # no answer to a ping
        await medic.until_state("delivered")
        assert SMS_AFTER_S <= await sms_after_s(medic) < SMS_AFTER_S + 1
        assert phone.connected, "half-open: her device knows of nothing"
        assert alerts(phone) == []
        link.reset()
        await rung(phone, medic.alert_id)
        assert len(alerts(phone)) == 1
    assert len(twilio.phone(medic.number).inbox) == 1


async def test_without_a_socket_the_sms_goes_at_once_and_she_gets_it_again_when_she_is_back(
    texting: Served, way_to_phones: Network, twilio: TwilioDouble
) -> None:
    medic, phone = await a_medic(texting, way_to_phones)
    async with switched_on(phone):
        link = await connected(phone, way_to_phones)
        await way_to_phones.refuse()
        link.reset()
        await no_socket(texting)
        await medic.reported("R-1")
        await medic.until_state("delivered")
        assert await sms_after_s(medic) < 1, "not at its time: her socket is known to be gone"
        await way_to_phones.listen()
        await rung(phone, medic.alert_id)
        delivered = [one["channel"] for one in await medic.said("AlertDelivered")]
        assert delivered == ["sms"]
    assert way_to_phones.count("reset") == 1
    assert len(twilio.phone(medic.number).inbox) == 1


def half(link: Link, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(link.to_client, name, value)


WIRES: dict[str, tuple[Callable[[Link], None], int]] = {
    "slow": (lambda link: half(link, slow_s=0.3), 1),
    "trickled": (lambda link: half(link, slow_s=0.005, trickle_bytes=5), 1),
    "cut": (lambda link: half(link, cut_after=60), 1),
    "reset": (lambda link: half(link, reset_after=60), 1),
    "vanished": (lambda link: setattr(link.to_server, "vanishes", True), 2),
}
"""What happens to the wire as the alert goes over it, and how often its frame reaches her. The last: her
acknowledgement is lost, so it comes again."""


async def test_what_is_lost_on_the_wire_comes_again_and_rings_once(
    texting: Served, way_to_phones: Network
) -> None:
    for what, (befall, frames) in WIRES.items():
        medic, phone = await a_medic(texting, way_to_phones)
        async with switched_on(phone):
            link = await connected(phone, way_to_phones)
            befall(link)
            await medic.reported(what)
            await way_to_phones.happened(what)
            if what == "vanished":
                await rung(phone, medic.alert_id)
                assert await medic.said("AlertDelivered") == []
                link.reset()
            await medic.until_state("delivered")
            assert list(phone.rung) == [medic.alert_id], what
            assert alerts(phone) == [alerts(phone)[0]] * frames, what
            assert len(await medic.said("AlertDelivered")) == 1, what
            assert len({frame["id"] for frame in phone.heard if "id" in frame}) == 1
            link.reset()


async def test_an_answer_whose_reply_is_lost_and_that_is_said_again_is_one_answer(
    texting: Served, way_to_phones: Network
) -> None:
    medic, phone = await a_medic(texting, way_to_phones)
    async with switched_on(phone):
        link = await connected(phone, way_to_phones)
        await medic.reported("R-1")
        await medic.until_state("delivered")
        link.to_client.vanishes = True
        await phone.say("accept", medic.alert_id)
        await medic.until_state("accepted")
        await way_to_phones.happened("vanished")
        assert phone.answered == {}
        link.reset()
        await until(lambda: _answered(phone))
        assert phone.answered == {medic.alert_id: "accepted"}
        assert len(await medic.said("AlertAnswered")) == 1
        assert list(phone.rung) == [medic.alert_id]


async def _answered(phone: Phone) -> bool:
    return bool(phone.answered)


async def test_an_answer_over_http_too(texting: Served, way_to_phones: Network) -> None:
    medic, phone = await a_medic(texting, way_to_phones)
    await medic.reported("R-1")
    path = f"/v1/me/alerts/{medic.alert_id}/accept"
    device = await texting.client(phone.token)
    bad = await texting.rebased(way_to_phones.url, device)
    way_to_phones.to_client.cut_after = 0
    with pytest.raises(httpx.TransportError):
        await bad.post(path)
    assert way_to_phones.count("cut") == 1
    way_to_phones.heal()
    twice = await asyncio.gather(bad.post(path), device.post(path))
    assert [(one.status_code, one.json()["state"]) for one in twice] == [(200, "accepted")] * 2
    assert len(await medic.said("AlertAnswered")) == 1
