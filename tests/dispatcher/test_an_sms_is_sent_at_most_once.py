"""What may have been sent is asked of the provider, never repeated; what certainly was not is sent again."""

import pytest
from texting import Texting
from town import Town, a_policy, asked_by, some_medics, soon, until

from dispatch.core import commands as c
from dispatch.sending.sender import CALL_S_MAX

(PHONE,) = [medic.phone for medic in some_medics(1)]
TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0), ("sms", 8)], answer_within_s=90)}


@pytest.fixture
async def alerted(start_town, texting: Texting):
    """Reports an incident that can reach its medic by SMS alone; the town, and the record."""

    async def report():
        town: Town = await start_town(channels=texting.channels, policies=TRAUMA)
        texting.node = town
        await town.add(some_medics(1), connected=False)
        return town, await town.report()

    return report


async def note_of(town, record, k=-1):
    return asked_by(await town.now(record))["medic-000"].notes[k]


async def test_an_answer_that_broke_off_is_asked_about(alerted, texting):
    texting.twilio.reset_next(accepted=True)
    town, record = await alerted()
    await town.quiet()
    await texting.twilio.settle()
    await town.pass_time(2.5)
    await town.quiet()
    assert len(texting.texts_to(PHONE)) == 1
    assert len(texting.twilio.messages) == 1
    assert (await note_of(town, record)).state == "delivered"


async def test_what_the_provider_never_took_is_sent_after_it_said_so(alerted, texting):
    texting.twilio.reset_next()
    town, record = await alerted()
    await town.quiet()
    assert texting.twilio.messages == []
    await town.pass_time(2.5)  # asked: not listed, which may be the list's lag
    assert texting.twilio.messages == []
    await town.pass_time(20)
    assert texting.twilio.messages == [], "it may have been called a moment after its attempt"
    await town.pass_time(CALL_S_MAX)
    await town.quiet()
    await town.pass_time(1)
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.texts_to(PHONE)) == 1
    assert (await note_of(town, record)).state == "delivered"


async def test_429_is_tried_again_after_what_it_says(alerted, texting):
    texting.twilio.fail_next(429, retry_after_s=5)
    town, record = await alerted()
    await town.quiet()
    assert (await note_of(town, record)).pending
    assert [check.ok for check in town.dispatcher.checks() if check.name == "sms"] == [False]
    await town.pass_time(4.5)
    assert texting.texts_to(PHONE) == []
    await town.pass_time(0.6)
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.texts_to(PHONE)) == 1
    assert [check.ok for check in town.dispatcher.checks() if check.name == "sms"] == [True]


async def test_the_providers_trouble_that_lasts_ends_with_the_alert(alerted, texting):
    texting.twilio.fail_next(429, retry_after_s=30, times=99)
    town, record = await alerted()
    await town.quiet()
    for _ in range(4):
        await town.pass_time(30)
    assert not (await note_of(town, record)).pending
    assert texting.twilio.messages == []


async def test_opted_out_blocks_the_channel_for_her(alerted, texting):
    texting.twilio.phone(PHONE).refused_with = 21610
    town, record = await alerted()
    await town.quiet()
    await until(lambda: town.roster.get("medic-000").blocked == ("sms",))
    await town.dispatcher.outgoing.chores_done()
    row = await town.pool.fetchval("select blocked from medic where id = 'medic-000'")
    assert row == ["sms"]
    assert (await note_of(town, record)).unsent
    again = await town.report()
    assert again.asked == ()


async def test_an_opt_out_that_the_carrier_tells_later_blocks_it_too(alerted, texting):
    texting.twilio.phone(PHONE).undelivered_with = 21610
    town, _ = await alerted()
    await until(lambda: town.roster.get("medic-000").blocked == ("sms",))


async def test_cancelled_while_the_sms_waits_it_is_not_sent(alerted, texting):
    texting.twilio.fail_next(429, retry_after_s=5)
    town, record = await alerted()
    await town.quiet()
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.pass_time(6)
    assert texting.twilio.messages == []
    note = await note_of(town, record, 1)
    assert note.channel == "sms"
    assert note.unsent


async def test_two_copies_of_a_callback_and_the_last_first_change_nothing(alerted, texting):
    texting.twilio.callback_copies = 2
    texting.twilio.callbacks_reversed = True
    town, record = await alerted()
    await town.quiet()
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.twilio.posted) == 4
    assert (await note_of(town, record)).state == "delivered"
    types = [type(event).__name__ for event in await town.events(record)]
    assert types.count("NotificationDelivered") == types.count("AlertDelivered") == 1


async def test_a_callback_before_the_answer_to_the_request_settles_it(alerted, texting):
    """The double tells what became of it while our request hangs; nobody asks for it again."""
    texting.timeout_s = 1.0
    texting.twilio.hang_next(accepted=True)
    town, record = await alerted()

    async def delivered() -> bool:
        return (await note_of(town, record)).state == "delivered"

    await soon(delivered)
    await town.quiet()
    await town.pass_time(30)
    assert len(texting.twilio.messages) == 1
    assert (await note_of(town, record)).state == "delivered"
    assert town.dispatcher.outgoing.sender.waiting == 0
