"""Two digits answer an alert; another text is told as not understood; a replayed one counts once."""

import asyncio

import pytest
from msgspec.structs import replace
from town import a_policy, asked_by, some_medics

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.records import Change

PHONES = [medic.phone for medic in some_medics(2)]
TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=30)}


@pytest.fixture
async def town(start_town, texting):
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    return town


async def reported(town, texting):
    record = await town.report()
    await town.quiet()
    await texting.twilio.settle()
    await town.quiet()
    return record


async def state_of(town, record):
    return asked_by(await town.now(record))["medic-000"].state


async def test_the_first_digit_accepts(town, texting):
    record = await reported(town, texting)
    assert await texting.twilio.phone(PHONES[0]).reply("1") == 200
    assert await state_of(town, record) == "accepted"


async def test_the_second_declines(town, texting):
    record = await reported(town, texting)
    await texting.twilio.phone(PHONES[0]).reply(" 2. ")
    assert await state_of(town, record) == "declined"


async def test_her_device_is_told_what_she_answered_by_sms(town, texting):
    record = await reported(town, texting)
    device = town.connect("medic-000")
    await texting.twilio.phone(PHONES[0]).reply("1")
    assert device.of("answered") == [{"type": "answered", "alert_id": f"{record.id}-1", "state": "accepted"}]


async def test_another_text_is_told_as_not_understood_and_not_kept(town, texting):
    record = await reported(town, texting)
    await texting.twilio.phone(PHONES[0]).reply("I am in the bath")
    told = [event for event in await town.events(record) if isinstance(event, e.TextNotUnderstood)]
    assert [(event.n, event.channel) for event in told] == [(1, "sms")]
    assert await state_of(town, record) == "delivered"
    assert not await town.pool.fetchval("select true from decision where events like '%bath%'")


async def test_a_late_answer_does_not_hit_the_next_alert(town, texting):
    first = await reported(town, texting)
    await town.pass_time(31)
    await town.dispatcher.command(first.id, "key-1", c.Close)
    second = await reported(town, texting)
    await texting.twilio.phone(PHONES[0]).reply("1")
    assert await state_of(town, second) == "delivered"
    await texting.twilio.phone(PHONES[0]).reply("3")
    assert await state_of(town, second) == "accepted"


async def test_what_she_holds_now_comes_before_what_was_reported_later(town, texting):
    """An older incident that found nobody at first asks her after a newer one has."""
    her = town.roster.get("medic-000")
    town.roster.put(replace(her, available=False))
    older = await town.report()
    town.roster.put(her)
    newer = await reported(town, texting)
    assert await state_of(town, newer) == "delivered"
    for _ in range(4):
        await town.pass_time(11)
    await texting.twilio.settle()
    await town.quiet()
    assert await state_of(town, newer) == "expired"
    await texting.twilio.phone(PHONES[0]).reply("I am in the bath")
    assert any(isinstance(event, e.TextNotUnderstood) for event in await town.events(older))
    await texting.twilio.phone(PHONES[0]).reply("3")
    assert await state_of(town, older) == "accepted"


async def test_five_alerts_in_a_row_have_each_another_pair_than_the_three_before(town, texting):
    for _ in range(5):
        record = await reported(town, texting)
        await town.dispatcher.command(record.id, "key-1", c.Cancel)
        await town.quiet()
    rows = await town.pool.fetch(
        "select digit_pair from alert a join incident i on i.id = a.incident_id order by i.opened_at"
    )
    assert [row["digit_pair"] for row in rows] == [0, 1, 2, 3, 0]


async def test_a_refused_decision_uses_no_pair_up(town, texting):
    first = await reported(town, texting)
    await town.dispatcher.command(first.id, "key-1", c.Cancel)
    with pytest.raises(Exception, match=first.id):
        await town.report(reference=first.state.reference)
    second = await reported(town, texting)
    assert [asked.digit_pair for asked in second.asked] == [1]


async def test_replayed_and_at_the_same_time_it_counts_once(town, texting):
    record = await reported(town, texting)
    take = town.dispatcher.answered_by_sms
    await asyncio.gather(*(take(PHONES[0], "what?", "SM1") for _ in range(3)))
    await take(PHONES[0], "what?", "SM1")
    told = [event for event in await town.events(record) if isinstance(event, e.TextNotUnderstood)]
    assert len(told) == 1


async def test_nobodys_text_is_ignored(town, texting):
    record = await reported(town, texting)
    await town.dispatcher.answered_by_sms("+31699999999", "1", "SM2")
    assert await state_of(town, record) == "delivered"


async def written_back(town, texting, text="1"):
    """What her phone has got since she wrote that."""
    before = len(texting.texts_to(PHONES[0]))
    assert await texting.twilio.phone(PHONES[0]).reply(text) == 200
    await texting.twilio.settle()
    return texting.texts_to(PHONES[0])[before:]


async def expired(town, texting):
    """An alert that has run out: her phone was told nothing, and shows how to answer still."""
    record = await reported(town, texting)
    await town.pass_time(31)
    await texting.twilio.settle()
    assert await state_of(town, record) == "expired"
    return record


def held(record):
    return Change(fields=("hazard",), details=record.details, hazard="hold")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (
            lambda town, record: town.dispatcher.update(record.id, "key-1", held(record)),
            "Do not go there now.",
        ),
        (lambda town, record: town.dispatcher.command(record.id, "key-1", c.Enough), "Enough responders"),
        (lambda town, record: town.dispatcher.command(record.id, "key-1", c.Close), "This call is over."),
    ],
    ids=["held", "enough", "closed"],
)
async def test_who_comes_when_nobody_is_to_any_more_is_told(town, texting, what, told):
    record = await expired(town, texting)
    await what(town, record)
    await town.quiet()
    (text,) = await written_back(town, texting)
    assert told in text
    assert "you are no longer needed" in text
    assert "#" not in text, "it would be taken for an SMS of ours when the provider is asked"


async def test_who_is_taken_declines_or_writes_otherwise_is_told_nothing(town, texting):
    record = await expired(town, texting)
    assert await written_back(town, texting, "soon") == []
    assert await written_back(town, texting, "1") == []
    assert await state_of(town, record) == "accepted"
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    await texting.twilio.settle()
    assert await written_back(town, texting, "2") == []


async def test_a_paused_service_writes_nothing_back(town, texting):
    record = await expired(town, texting)
    await town.dispatcher.command(record.id, "key-1", c.Close)
    town.dispatcher.pause.on = True
    assert await written_back(town, texting) == []
