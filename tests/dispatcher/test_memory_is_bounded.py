"""What ended long ago and has nothing left to do is forgotten; what may still be asked for is read again."""

from texting import Texting
from town import a_policy, some_medics

from dispatch.core import commands as c
from dispatch.decisions import KEEP_ENDED_MS

HOUR_S = KEEP_ENDED_MS / 1000


async def ended(town):
    record = await town.report()
    await town.quiet()
    for asked in record.asked:
        await town.acknowledge_all(town.devices[asked.medic_id])
    await town.dispatcher.command(record.id, "key-1", c.Close)
    await town.quiet()
    for asked in record.asked:
        await town.acknowledge_all(town.devices[asked.medic_id])
    await town.quiet()
    return record


async def test_an_hour_after_its_end_an_incident_is_forgotten_with_all_that_led_to_it(town):
    await town.add(some_medics(3))
    for _ in range(5):
        await ended(town)
    open_one = await town.report()
    await town.dispatcher.tidy()
    assert len(town.dispatcher.decisions.memory) == 6
    await town.pass_time(HOUR_S + 1)
    await town.dispatcher.tidy()
    assert [live.id for live in town.dispatcher.decisions.lives()] == [open_one.id]
    assert len(town.dispatcher._her_alerts) == 3
    assert all(len(town.roster.held(f"medic-{i:03}")) <= 1 for i in range(3))


async def test_the_digits_are_forgotten_after_a_day(town):
    await town.add(some_medics(3))
    await ended(town)
    await town.dispatcher.tidy()
    assert len(town.dispatcher._digit_pairs) == 3
    await town.pass_time(24 * HOUR_S + 60)
    await town.dispatcher.tidy()
    assert len(town.dispatcher._digit_pairs) == 0


async def test_a_forgotten_incident_is_found_again(town):
    await town.add(some_medics(3))
    record = await ended(town)
    before = await town.now(record)
    await town.pass_time(HOUR_S + 1)
    await town.dispatcher.tidy()
    assert len(town.dispatcher.decisions.memory) == 0
    assert await town.now(record) == before
    reopened = await town.dispatcher.command(record.id, "key-1", c.Reopen)
    assert reopened.state.state == "open"


async def test_an_incident_with_a_send_under_way_is_kept(start_town, texting: Texting):
    policies = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)])}
    town = await start_town(channels=texting.channels, policies=policies)
    texting.node = town
    texting.twilio.callback_delay_s = 10**6
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    texting.twilio.fail_next(429, retry_after_s=10**5)
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    town.clock.move(HOUR_S + 1)
    await town.dispatcher.tidy()
    held = [live.id for live in town.dispatcher.decisions.lives()]
    pending = [
        note for alert in (await town.now(record)).state.alerts for note in alert.notes if note.pending
    ]
    assert bool(pending) == (held == [record.id])
