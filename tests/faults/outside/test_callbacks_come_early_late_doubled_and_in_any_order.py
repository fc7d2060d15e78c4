"""What Twilio posts about an SMS, and what a medic texts back: before the send's own reply, doubled, late, in
every order, for nothing that we know, unsigned. `tests/rules` has every order; here some go over the wire."""

import asyncio
import random
from typing import Any

import pytest

from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.phones import VirtualPhone
from simulations.twilio_double.records import Record
from simulations.twilio_double.signature import sign
from tests.faults.outside.served import Served, events_of, got, report_at, told, until, words

pytestmark = pytest.mark.timeout(120)

WORDS = {
    "queued": None,
    "sending": None,
    "sent": None,
    "delivered": None,
    "undelivered": 30003,
    "failed": 30008,
}
ON_ITS_WAY = ("queued", "sending", "sent")
ORDERS = 40


async def post(world: Served, url: str, form: dict[str, str], token: str | None = None) -> int:
    """As Twilio does; the status of the answer."""
    assert world.twilio is not None
    headers = {"X-Twilio-Signature": sign(token or world.twilio.auth_token, url, form)}
    return (await world.outside.post(url, data=form, headers=headers)).status_code


def about(record: Record, word: str) -> dict[str, str]:
    form = {**record.status_form(), "MessageStatus": word, "SmsStatus": word}
    code = WORDS[word]
    return form if code is None else form | {"ErrorCode": str(code)}


def expected(order: list[str]) -> list[str]:
    """The send's own reply said that it was sent; certain is what was certain first."""
    certain = next(word for word in order if word in ("delivered", "undelivered"))
    given_up = "failed" in order[: order.index(certain)]
    last = "Delivered" if certain == "delivered" else "Failed, definite"
    return ["Requested", "Sent", *(["Failed"] if given_up else []), last]


async def the_record(twilio: TwilioDouble, phone: VirtualPhone) -> Record:
    async def sent() -> bool:
        return any(message.to == phone.number for message in twilio.messages)

    await until(sent)
    return next(message for message in twilio.messages if message.to == phone.number)


async def test_in_any_order_and_doubled_a_last_word_stands(texting: Served, twilio: TwilioDouble) -> None:
    room, place, draws = await texting.room(), texting.place(), random.Random(11)
    asked = await texting.medics_at(place, ORDERS)
    for medic in asked:
        twilio.phone(medic.phone).called_back = False
    incident = (await room.post("/v1/incidents", json=report_at(place))).json()
    number_of = {alert["medic_id"]: alert["n"] for alert in incident["alerts"]}
    assert len(number_of) == ORDERS

    async def all_sent() -> bool:
        events = await events_of(room, incident["id"])
        return sum(event["type"] == "NotificationSent" for event in events) == ORDERS

    await until(all_sent, 30)
    orders = {medic.id: draws.sample(list(WORDS), len(WORDS)) for medic in asked}

    async def call_back(medic_id: str, phone: str) -> None:
        record = await the_record(twilio, twilio.phone(phone))
        assert record.callback_url is not None
        for word in orders[medic_id]:
            twice = [post(texting, record.callback_url, about(record, word)) for _ in range(2)]
            assert await asyncio.gather(*twice) == [204, 204]

    await asyncio.gather(*(call_back(medic.id, medic.phone) for medic in asked))
    events = await events_of(room, incident["id"])
    said = {medic.id: words(events, number_of[medic.id]) for medic in asked}
    assert said == {medic.id: expected(orders[medic.id]) for medic in asked}
    assert len(twilio.messages) == ORDERS


async def test_before_the_sends_own_reply(texting: Served, twilio: TwilioDouble) -> None:
    """The provider's reply, `queued`, is still trickling in when it says that the carrier gave up."""
    room, place = await texting.room(), texting.place()
    phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
    phone.undelivered_with = 30008
    twilio.trickle_next(0.0005, to=phone.number)
    incident = (await room.post("/v1/incidents", json=report_at(place))).json()["id"]

    async def given_up() -> bool:
        return "Failed" in await told(room, incident, 1)

    await until(given_up)
    assert [one.kind for one in twilio.met] == ["trickle"]
    await asyncio.sleep(3)  # the reply has come, or was asked about
    assert (await told(room, incident, 1))[-1] == "Failed"


async def test_for_nothing_we_know_or_unsigned_they_change_nothing(
    texting: Served, twilio: TwilioDouble
) -> None:
    room, place = await texting.room(), texting.place()
    phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
    phone.called_back = False
    incident = (await room.post("/v1/incidents", json=report_at(place))).json()["id"]
    record = await the_record(twilio, phone)

    async def sent() -> bool:
        return "Sent" in await told(room, incident, 1)

    await until(sent)
    before = await events_of(room, incident)
    url, form = record.callback_url or "", about(record, "delivered")
    base, known = url.split("?notification=")
    for other in (
        "nothing",
        "01m86rgzxwbwft8hfxknzd5hmt-1-1",
        f"{incident}-9-9",
        f"{incident}-1-9",
        known + "0",
    ):
        assert await post(texting, f"{base}?notification={other}", form) == 204
    assert await post(texting, url, form, token="somebody else's") == 403
    assert await post(texting, texting.url + "/v1/twilio/sms", {"From": phone.number}, token="x") == 403
    assert await events_of(room, incident) == before


async def test_late_after_the_end_it_is_recorded_and_changes_no_alert(
    texting: Served, twilio: TwilioDouble
) -> None:
    room, place = await texting.room(), texting.place()
    phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
    phone.called_back = False
    incident = (await room.post("/v1/incidents", json=report_at(place))).json()["id"]
    record = await the_record(twilio, phone)
    await room.post(f"/v1/incidents/{incident}/cancel")
    for word in ("delivered", "sent", "delivered"):
        assert await post(texting, record.callback_url or "", about(record, word)) == 204
    shown = await got(room, f"/v1/incidents/{incident}")
    assert (shown["state"], shown["alerts"][0]["state"]) == ("cancelled", "stood_down")
    assert (await told(room, incident, 1))[-1] == "Delivered"
    # an answer, too: it is refused in silence, and the medic has her stand-down
    assert await phone.reply("1") == 200
    assert (await got(room, f"/v1/incidents/{incident}"))["alerts"][0]["state"] == "stood_down"


async def test_one_that_another_life_of_the_service_sent(texting: Served, twilio: TwilioDouble) -> None:
    """Killed while the provider had it and had not replied: the next life asks, or is told; it sends none."""
    room = await texting.room()
    found: dict[str, tuple[VirtualPhone, str]] = {}
    for name in ("asked about", "told"):
        place = texting.place()
        phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
        phone.called_back = False
        twilio.hang_next(accepted=True, to=phone.number)
        incident = (await room.post("/v1/incidents", json=report_at(place, name))).json()["id"]
        await the_record(twilio, phone)
        found[name] = phone, incident
    await texting.service.kill_9_and_start()
    phone, incident = found["told"]
    record = await the_record(twilio, phone)
    assert await post(texting, record.callback_url or "", about(record, "delivered")) == 204
    assert (await told(room, incident, 1))[-1] == "Delivered"

    async def both_known() -> bool:
        said = [await told(room, incident, 1) for _, incident in found.values()]
        return [one[-1] for one in said] == ["Delivered", "Delivered"]

    await until(both_known, 20)
    assert len(twilio.met) == len(twilio.messages) == 2
    assert [len(phone.inbox) for phone, _ in found.values()] == [1, 1]


async def test_an_answer_by_sms_counts_once(texting: Served, twilio: TwilioDouble) -> None:
    """It comes before the provider's own reply to our send, and Twilio brings it five times."""
    room, place = await texting.room(), texting.place()
    phone = twilio.phone(await texting.phone(await texting.medic_at(place)))
    twilio.hang_next(accepted=True, to=phone.number)
    incident = (await room.post("/v1/incidents", json=report_at(place))).json()["id"]
    await the_record(twilio, phone)
    assert await phone.reply("1") == 200
    assert [one.kind for one in twilio.met] == ["hang"], "our send has no reply yet"
    inbound = next(one for one in twilio.posted if one.url.endswith("/sms"))
    again = [post(texting, inbound.url, dict(inbound.form)) for _ in range(5)]
    assert await asyncio.gather(*again) == [200] * 5
    await asyncio.sleep(2)
    events: list[dict[str, Any]] = await events_of(room, incident)
    answers = [event["data"] for event in events if event["type"] == "AlertAnswered"]
    assert [(one["answer"], one["channel"]) for one in answers] == [("accept", "sms")]
    shown = await got(room, f"/v1/incidents/{incident}")
    assert shown["alerting"]["state"] == "covered"
    assert len(phone.inbox) == 1
