"""Every kind of trouble a provider can make, each with a medic of its own, all at once on one service.

At most one SMS a notification reaches her phone; the feed says what became of it; and only what is definite
(RULES.md, "Definite means") takes the alert for lost.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import httpx
import pytest

from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.phones import VirtualPhone
from tests.faults.network import Network
from tests.faults.outside.served import Served, got, report_at, told, until

pytestmark = pytest.mark.timeout(120)

HTML = {"Content-Type": "text/html; charset=utf-8"}
HEX = {"Content-Type": "application/json; charset=hex"}
TEN_MB = b'{"sid": "' + b"9" * 10_000_000 + b'"}'
DEEP = b"[" * 200_000
OTHER_TYPES = b'{"sid": 7, "status": "failed", "error_code": [], "date_created": {}}'
REFUSAL_OF_OTHER_TYPES = b'{"code": [21614], "message": {}, "status": "400"}'

Arrange = Callable[[TwilioDouble, VirtualPhone], object]


class Case(NamedTuple):
    """``arrange`` tells the double. ``ends``: the feed's last word; ``texts`` on her phone; ``alerting``."""

    arrange: Arrange
    ends: str = "Delivered"
    texts: int = 1
    alerting: str = "active"
    fault: bool = True


def unasked(phone: VirtualPhone) -> str:
    """Nothing is told of its messages unless asked: no callbacks. Its number."""
    phone.called_back = False
    return phone.number


def taken(body: bytes, **how: object) -> Arrange:
    """The message is taken, and this is the answer."""
    return lambda twilio, phone: twilio.answer_next(body, accepted=True, to=unasked(phone), **how)  # type: ignore[arg-type]


def set_to(**fields: object) -> Arrange:
    return lambda _, phone: [setattr(phone, name, value) for name, value in fields.items()]


def in_seconds(seconds: float) -> str:
    """An HTTP date; whole seconds, hence one more."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds + 1), usegmt=True)


def lookups_fail_too(twilio: TwilioDouble, phone: VirtualPhone) -> None:
    twilio.reset_next(accepted=True, to=unasked(phone))
    twilio.hang_next(call="list", to=phone.number)
    twilio.answer_next(DEEP, status=200, call="list", to=phone.number)


def nobody_can_say(twilio: TwilioDouble, phone: VirtualPhone) -> None:
    twilio.reset_next(accepted=True, to=unasked(phone))
    twilio.fail_next(500, call="list", times=99, to=phone.number)


CASES = {
    "well": Case(lambda t, p: None, fault=False),
    # certainly not sent: again, when the provider says
    "429 for 2 s": Case(lambda t, p: t.fail_next(429, retry_after_s=2, to=p.number)),
    "429 until a date": Case(lambda t, p: t.fail_next(429, retry_after=in_seconds(2), to=p.number)),
    "429 until nonsense": Case(lambda t, p: t.fail_next(429, retry_after="soon", to=p.number)),
    "401 twice": Case(lambda t, p: t.fail_next(401, times=2, to=p.number)),
    # perhaps sent, and it was not
    "500, not taken": Case(lambda t, p: t.fail_next(500, to=p.number)),
    "502 with HTML": Case(lambda t, p: t.answer_next(b"<h1>?", status=502, headers=HTML, to=p.number)),
    "hangs": Case(lambda t, p: t.hang_next(to=p.number)),
    "breaks off": Case(lambda t, p: t.reset_next(to=p.number)),
    # perhaps sent, and it was: the look-up finds it
    "500, taken": Case(lambda t, p: t.fail_next(500, accepted=True, to=unasked(p))),
    "502 with HTML, taken": Case(taken(b"<h1>?", status=502, headers=HTML)),
    "takes it and hangs": Case(lambda t, p: t.hang_next(accepted=True, to=unasked(p))),
    "takes it, hangs, calls back": Case(lambda t, p: t.hang_next(accepted=True, to=p.number)),
    "takes it and breaks off": Case(lambda t, p: t.reset_next(accepted=True, to=unasked(p))),
    "breaks off in its answer": Case(lambda t, p: t.break_next(to=unasked(p))),
    "answers too slowly": Case(lambda t, p: t.trickle_next(0.1, to=unasked(p))),
    "no JSON": Case(taken(b'{"sid": "SM')),
    "nothing": Case(taken(b"")),
    "another document": Case(taken(b"[1, 2]")),
    "fields of other types": Case(taken(OTHER_TYPES)),
    "nested without end": Case(taken(DEEP)),
    "no UTF-8": Case(taken(b"\xff\xfe\x00")),
    "an encoding that is none": Case(taken(b"{}", headers=HEX)),
    "10 MB": Case(taken(TEN_MB)),
    "look-ups fail too": Case(lookups_fail_too),
    # unknown to the end: she has it, and nobody knows
    "nobody can say": Case(nobody_can_say, "Failed"),
    # taken, then given up; refused
    "her phone is off": Case(set_to(undelivered_with=30003), "Failed, definite", 0, "exhausted", False),
    "the carrier gave up": Case(set_to(undelivered_with=30008), "Failed", 0, fault=False),
    "no mobile": Case(set_to(refused_with=21614), "Failed, definite", 0, "exhausted", False),
    "not hers": Case(lambda t, p: t.fail_next(400, code=21617, to=p.number), "Failed", 0),
    "a refusal of other types": Case(
        lambda t, p: t.answer_next(REFUSAL_OF_OTHER_TYPES, status=400, to=p.number), "Failed", 0
    ),
}


async def test_at_most_one_sms_a_notification_and_the_feed_says_what_came_of_it(texting: Served) -> None:
    twilio, room = texting.twilio, await texting.room()
    assert twilio is not None
    phones, incidents = {}, {}
    for name, case in CASES.items():
        place = texting.place()
        phones[name] = phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
        case.arrange(twilio, phone)
        opened = (await room.post("/v1/incidents", json=report_at(place, name))).json()
        assert opened["alerting"]["asked"] == 1
        incidents[name] = opened["id"]

    waited_for = dict(incidents)

    async def all_ended() -> bool:
        for name, incident in list(waited_for.items()):
            last = (await told(room, incident, 1))[-1]
            if last == "Delivered" or last.startswith("Failed"):
                del waited_for[name]
        return not waited_for

    with suppress(TimeoutError):
        await until(all_ended, 40)
    await asyncio.sleep(1.0)  # a second SMS would come now
    came_of_it = {
        name: (
            (await told(room, incidents[name], 1))[-1],
            len(phones[name].inbox),
            (await got(room, f"/v1/incidents/{incidents[name]}"))["alerting"]["state"],
        )
        for name in CASES
    }
    assert came_of_it == {name: (case.ends, case.texts, case.alerting) for name, case in CASES.items()}
    met = {one.to for one in twilio.met}
    assert met == {phones[name].number for name, case in CASES.items() if case.fault}, "each really happened"
    assert (await room.get("/readyz")).status_code == 200
    assert "never retrieved" not in texting.service.log.read_text()


async def arrive(twilio: TwilioDouble, phone: VirtualPhone) -> None:
    async def has_come() -> bool:
        return bool(phone.inbox)

    await until(has_come, 30)
    await asyncio.sleep(1.0)
    sent = [message for message in twilio.messages if message.to == phone.number]
    assert len(phone.inbox) == len(sent) == 1


async def alerted(world: Served, room: httpx.AsyncClient, reference: str = "R") -> tuple[VirtualPhone, str]:
    place = world.place()
    assert world.twilio is not None
    phone = world.twilio.phone(await world.phone(await world.medic_at(place)))
    phone.called_back = False
    opened = (await room.post("/v1/incidents", json=report_at(place, reference))).json()
    return phone, opened["id"]


async def test_a_refused_connection_is_tried_again_until_it_is_taken(
    texting_by_a_bad_way: Served, way_to_twilio: Network, twilio: TwilioDouble
) -> None:
    world, room = texting_by_a_bad_way, await texting_by_a_bad_way.room()
    await way_to_twilio.refuse()
    phone, incident = await alerted(world, room)
    await asyncio.sleep(3)
    assert await told(room, incident, 1) == ["Requested"]
    sms = next(one for one in (await room.get("/readyz")).json()["checks"] if one["name"] == "sms")
    assert not sms["ok"]
    assert "unreachable" in sms["detail"]
    assert way_to_twilio.count("accepted") == 0, "it was refused"
    await way_to_twilio.listen()
    await arrive(twilio, phone)


LOST = {
    "silent": lambda network: setattr(network, "silent", True),
    "vanished": lambda network: setattr(network.to_server, "vanishes", True),
    "vanished back": lambda network: setattr(network.to_client, "vanishes", True),
    "cut": lambda network: setattr(network.to_client, "cut_after", 40),
    "reset": lambda network: setattr(network.to_client, "reset_after", 300),
}
"""By what happens to the connection: as a whole, to the request, and three times to the answer."""


async def test_a_send_lost_on_the_way_is_asked_about_and_never_sent_twice(
    texting_by_a_bad_way: Served, way_to_twilio: Network, twilio: TwilioDouble
) -> None:
    world, room = texting_by_a_bad_way, await texting_by_a_bad_way.room()
    for how, befall in LOST.items():
        for link in way_to_twilio.open():  # the service would use it again
            link.cut()
        before = len(way_to_twilio.log)
        befall(way_to_twilio)
        phone, _ = await alerted(world, room, how)
        await way_to_twilio.happened(how.split()[0], since=before)
        way_to_twilio.heal()
        await arrive(twilio, phone)
    assert len(twilio.messages) == len(LOST)


async def test_a_redirect_is_not_followed(texting: Served, twilio: TwilioDouble) -> None:
    """It would carry the credentials and her number to wherever it says, in clear."""
    async with Network(1) as elsewhere:
        place, room = texting.place(), await texting.room()
        phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
        to = {"Location": f"{elsewhere.url}/2010-04-01/Accounts/x/Messages.json"}
        twilio.answer_next(b"", status=307, headers=to, to=phone.number)
        await room.post("/v1/incidents", json=report_at(place))
        await arrive(twilio, phone)
        assert [one.kind for one in twilio.met] == ["body"]
        assert elsewhere.log == []
