"""A report whose reply is lost, sent again with its Idempotency-Key, is one incident and one wave."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.faults.network import Network
from tests.faults.outside.served import Served, events_of, got, report_at

pytestmark = pytest.mark.timeout(120)

MEDICS = 3
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "the reply is cut before its first byte": ("cut", {"cut_after": 0}),
    "the reply is cut in its body": ("cut", {"cut_after": 200}),
    "the reply is reset": ("reset", {"reset_after": 30}),
    "the reply vanishes": ("vanished", {"vanishes": True}),
}


class Room:
    """A control room with a place of medics, and a way to the service that fails."""

    def __init__(self, world: Served, well: httpx.AsyncClient, bad: httpx.AsyncClient) -> None:
        self.world, self.well, self.bad = world, well, bad

    async def report(self, client: httpx.AsyncClient, place: dict[str, float], key: str) -> httpx.Response:
        report = report_at(place, key, kind="other")
        return await client.post("/v1/incidents", json=report, headers={"Idempotency-Key": key})

    async def waves(self, incident: str) -> list[int]:
        events = await events_of(self.well, incident)
        return [event["data"]["chosen"] for event in events if event["type"] == "WaveDecided"]

    async def count(self) -> int:
        return len((await got(self.well, "/v1/incidents"))["items"])


async def a_room(world: Served, network: Network) -> tuple[Room, dict[str, float]]:
    well, place = await world.room(), world.place()
    await world.medics_at(place, MEDICS)
    bad = await world.rebased(network.url, well)
    bad.timeout = httpx.Timeout(1.5)
    return Room(world, well, bad), place


async def test_whatever_became_of_the_reply(texting: Served, way_to_phones: Network) -> None:
    for nth, (name, (what, loss)) in enumerate(LOSSES.items(), start=1):
        room, place = await a_room(texting, way_to_phones)
        for field, value in loss.items():
            setattr(way_to_phones.to_client, field, value)
        before = len(way_to_phones.log)
        with pytest.raises(httpx.TransportError):
            await room.report(room.bad, place, name)
        assert way_to_phones.count(what, before) == 1, name
        way_to_phones.heal()
        again = await room.report(room.bad, place, name)
        assert again.status_code == 200, name
        incident = again.json()
        assert len(incident["alerts"]) == MEDICS, name
        assert await room.waves(incident["id"]) == [MEDICS], name
        assert await room.count() == nth, name


async def test_a_request_that_broke_off_was_none(texting: Served, way_to_phones: Network) -> None:
    room, place = await a_room(texting, way_to_phones)
    way_to_phones.to_server.cut_after = 260  # in the headers or the body, never behind it
    with pytest.raises(httpx.TransportError):
        await room.report(room.bad, place, "R-1")
    assert way_to_phones.count("cut") == 1
    assert await room.count() == 0
    way_to_phones.heal()
    assert (await room.report(room.bad, place, "R-1")).status_code == 201


async def test_while_its_twin_is_under_way_and_on_other_connections(
    texting: Served, way_to_phones: Network
) -> None:
    """One trickles in; five come at once by the same way, their replies are cut; then one that is well."""
    room, place = await a_room(texting, way_to_phones)
    slow = await texting.rebased(way_to_phones.url, room.well)
    way_to_phones.to_server.trickle_bytes, way_to_phones.to_server.slow_s = 3, 0.02
    trickling = asyncio.create_task(room.report(slow, place, "R-1"))
    await way_to_phones.happened("trickled")
    way_to_phones.heal()
    way_to_phones.to_client.cut_after = 0
    lost = await asyncio.gather(
        *(room.report(room.bad, place, "R-1") for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(one, httpx.TransportError) for one in lost] == [True] * 5
    assert way_to_phones.count("cut") == 5
    assert not trickling.done(), "its twin was under way all the time"
    well, late = await room.report(room.well, place, "R-1"), await trickling
    assert [well.status_code, late.status_code] == [200, 200]
    assert well.json()["id"] == late.json()["id"]
    assert await room.waves(well.json()["id"]) == [MEDICS]
    assert await room.count() == 1


async def test_more_is_asked_for_once(texting: Served, way_to_phones: Network) -> None:
    room, place = await a_room(texting, way_to_phones)
    incident = (await room.report(room.well, place, "R-1")).json()
    path, key = f"/v1/incidents/{incident['id']}/more", {"Idempotency-Key": "more-1"}
    way_to_phones.to_client.cut_after = 0
    with pytest.raises(httpx.TransportError):
        await room.bad.post(path, json={"count": 2}, headers=key)
    assert way_to_phones.count("cut") == 1
    way_to_phones.heal()
    same = [room.bad.post(path, json={"count": 2}, headers=key) for _ in range(3)]
    assert [one.status_code for one in await asyncio.gather(*same)] == [200] * 3
    events = await events_of(room.well, incident["id"])
    assert [event["data"] for event in events if event["type"] == "MoreRequested"] == [{"count": 2}]
