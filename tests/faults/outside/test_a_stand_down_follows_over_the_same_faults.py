"""A stand-down by SMS is as reliable as an alert: the same troubles, each with its medic, all at once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import pytest

from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.phones import VirtualPhone
from tests.faults.outside.served import Served, got, report_at, told, until

pytestmark = pytest.mark.timeout(120)

Arrange = Callable[[TwilioDouble, str], object]
STOP = "je hoeft niet te komen"


class Case(NamedTuple):
    """Trouble with the stand-down, or ``early``: with the alert, and it is cancelled meanwhile.

    ``texts`` on her phone, the stand-down among them where there are two. ``asked``: no callbacks.
    """

    arrange: Arrange
    early: bool = False
    texts: int = 2
    asked: bool = True


def nobody_can_say(twilio: TwilioDouble, to: str) -> None:
    twilio.reset_next(accepted=True, to=to)
    twilio.fail_next(500, call="list", times=99, to=to)


CASES = {
    "429": Case(lambda t, to: t.fail_next(429, retry_after_s=2, to=to)),
    "500, not taken": Case(lambda t, to: t.fail_next(500, to=to)),
    "500, taken": Case(lambda t, to: t.fail_next(500, accepted=True, to=to)),
    "hangs": Case(lambda t, to: t.hang_next(to=to)),
    "takes it and hangs": Case(lambda t, to: t.hang_next(accepted=True, to=to)),
    "takes it, hangs, calls back": Case(lambda t, to: t.hang_next(accepted=True, to=to), asked=False),
    "breaks off": Case(lambda t, to: t.reset_next(to=to)),
    "breaks off in its answer": Case(lambda t, to: t.break_next(to=to)),
    "answers too slowly": Case(lambda t, to: t.trickle_next(0.1, to=to)),
    "the alert was taken": Case(lambda t, to: t.hang_next(accepted=True, to=to), early=True),
    "the alert was taken, it says 500": Case(
        lambda t, to: t.fail_next(500, accepted=True, to=to), early=True
    ),
    "nobody can say of the alert": Case(nobody_can_say, early=True),
    "the alert was not taken": Case(lambda t, to: t.hang_next(to=to), early=True, texts=0),
    "the alert met 429": Case(lambda t, to: t.fail_next(429, retry_after_s=3, to=to), early=True, texts=0),
}


async def test_who_may_have_the_alert_is_told_to_stop_once(texting: Served, twilio: TwilioDouble) -> None:
    room = await texting.room()
    phones: dict[str, VirtualPhone] = {}
    incidents: dict[str, str] = {}
    for name, case in CASES.items():
        place = texting.place()
        phones[name] = phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
        phone.called_back = not case.asked
        if case.early:
            case.arrange(twilio, phone.number)
        incidents[name] = (await room.post("/v1/incidents", json=report_at(place, name))).json()["id"]

    async def sent() -> bool:
        late = [name for name, case in CASES.items() if not case.early]
        said = [await told(room, incidents[name], 1) for name in late]
        return all({"Sent", "Delivered"} & set(words) for words in said)

    await until(sent)
    for name, case in CASES.items():
        if not case.early:
            case.arrange(twilio, phones[name].number)
    await asyncio.gather(*(room.post(f"/v1/incidents/{incident}/cancel") for incident in incidents.values()))

    def texts() -> dict[str, list[bool]]:
        return {name: [STOP in text.body for text in phone.inbox] for name, phone in phones.items()}

    wanted = {name: [False, True][: case.texts] for name, case in CASES.items()}

    async def all_told() -> bool:
        return texts() == wanted

    with suppress(TimeoutError):
        await until(all_told, 30)
    await asyncio.sleep(4)  # what would be sent again comes now
    assert texts() == wanted
    assert {one.to for one in twilio.met} == {phone.number for phone in phones.values()}
    for name, incident in incidents.items():
        shown = (await got(room, f"/v1/incidents/{incident}"))["alerts"][0]
        assert shown["state"] == "stood_down", name
        said = await told(room, incident, 1, purpose="stand_down")
        assert said.count("Requested") == (1 if CASES[name].texts == 2 else 0), (name, said)
    assert "never retrieved" not in texting.service.log.read_text()
