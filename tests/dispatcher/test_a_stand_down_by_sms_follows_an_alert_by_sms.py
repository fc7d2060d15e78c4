"""Told to stop by SMS where the alert's SMS was not definitely unsent; a pending outcome is awaited."""

from town import a_policy, some_medics

from dispatch.core import commands as c
from dispatch.records import Change

PHONES = [medic.phone for medic in some_medics(2)]
TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0), ("sms", 8)], answer_within_s=90)}


async def started(start_town, texting):
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    return town


async def cancelled(town, record):
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()


async def told(town, texting, seconds=16.0):
    """After the ladder's last rung has had its time."""
    await town.pass_time(seconds)
    await texting.twilio.settle()
    await town.quiet()


async def test_who_had_it_on_her_socket_alone_gets_no_sms(start_town, texting):
    town = await started(start_town, texting)
    (device,) = await town.add(some_medics(1))
    await cancelled(town, await town.report())
    await told(town, texting)
    assert device.of("stand_down")
    assert texting.texts_to(PHONES[0]) == []


async def test_who_had_it_by_sms_gets_one(start_town, texting):
    town = await started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await texting.twilio.settle()
    await town.quiet()
    await cancelled(town, record)
    await told(town, texting)
    assert len(texting.texts_to(PHONES[0])) == 2


async def test_delivered_on_her_socket_the_sms_is_spared(start_town, texting):
    town = await started(start_town, texting)
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.pass_time(8.1)
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.texts_to(PHONES[0])) == 1
    await cancelled(town, record)
    await town.acknowledge_all(device)
    await town.quiet()
    await told(town, texting)
    assert len(texting.texts_to(PHONES[0])) == 1


async def test_a_pending_outcome_is_awaited_first(start_town, texting):
    """The alert's SMS may have gone out; that it did is known two seconds later."""
    texting.twilio.callback_delay_s = 1000
    texting.twilio.reset_next(accepted=True)
    town = await started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await cancelled(town, record)
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONES[0])) == 1
    await told(town, texting)
    assert len(texting.texts_to(PHONES[0])) == 2


async def test_one_that_never_went_out_needs_no_stand_down(start_town, texting):
    texting.twilio.reset_next()
    town = await started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await cancelled(town, record)
    for _ in range(4):
        await told(town, texting)
    assert texting.twilio.messages == []
    assert [
        note.unsent for note in (await town.now(record)).state.alerts[0].notes if note.channel == "sms"
    ] == [True]


async def test_asked_again_meanwhile_she_is_not_told_to_stop_any_more(start_town, texting):
    """Enough was said, the stand-down met a provider in trouble, then more were wanted: she, again."""
    town = await started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    texting.twilio.fail_next(429, retry_after_s=5)
    await town.dispatcher.command(record.id, "key-1", c.Enough)
    await town.quiet()
    await town.dispatcher.more(record.id, "key-1", 1)
    await town.quiet()
    assert await town.answer(record, 1, "accept", "sms") == "accepted"
    await told(town, texting)
    texts = texting.texts_to(PHONES[0])
    assert len(texts) == 2
    assert all("1" in text or "3" in text for text in texts), "both are alerts, with digits to answer"


async def test_after_she_arrived_no_stand_down_goes_out(start_town, texting):
    """The stand-down met a provider in trouble; before it is tried again she says that she is there."""
    texting.twilio.callback_delay_s = 1000
    town = await started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    texting.twilio.fail_next(429, retry_after_s=5)
    update = Change(
        fields=("ambulance_arrived_at",), details=record.details, ambulance_arrived_at=town.clock.now_ms()
    )
    await town.dispatcher.update(record.id, "key-1", update)
    await town.quiet()
    assert await town.answer(record, 1, "arrived", "sms") == "arrived"
    await told(town, texting)
    assert len(texting.texts_to(PHONES[0])) == 1
