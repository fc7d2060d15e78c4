"""What ended long ago and has nothing left to do is forgotten; what may still be asked for is read again."""

import pytest
from texting import Texting
from town import a_policy, some_medics

from dispatch.core import commands as c
from dispatch.deciding.decisions import KEEP_ENDED_MS

HOUR_S = KEEP_ENDED_MS / 1000


async def ended(town, *, all_hear=True):
    """An incident that was answered by one of three and closed."""
    record = await town.report()
    await town.quiet()
    devices = [town.devices[asked.medic_id] for asked in record.asked]
    for device in devices:
        await town.acknowledge_all(device)
    await town.dispatcher.command(record.id, "key-1", c.Close)
    await town.quiet()
    for device in devices if all_hear else devices[1:]:
        await town.acknowledge_all(device)
    await town.quiet()
    return record


async def test_an_incident_that_is_over_and_told_is_forgotten_at_once(town):
    await town.add(some_medics(3))
    for _ in range(20):
        await ended(town)
        assert len(town.dispatcher.decisions.memory) == 0
    assert len(town.dispatcher._her_alerts) == 0
    assert not any(town.roster.held(f"medic-{i:03}") for i in range(3))
    open_one = await town.report()
    await town.dispatcher.tidy()
    assert [live.id for live in town.dispatcher.decisions.lives()] == [open_one.id]


async def test_one_with_a_device_that_has_not_read_its_stand_down_waits_for_it_an_hour(town):
    await town.add(some_medics(3))
    record = await ended(town, all_hear=False)
    await town.dispatcher.tidy()
    assert [live.id for live in town.dispatcher.decisions.lives()] == [record.id]
    await town.pass_time(HOUR_S + 1)
    await town.dispatcher.tidy()
    assert len(town.dispatcher.decisions.memory) == 0
    assert len(town.dispatcher._her_alerts) == 0


async def test_a_late_word_about_a_forgotten_one_is_taken_or_refused_as_ever_and_it_is_forgotten_again(town):
    await town.add(some_medics(3))
    record = await ended(town)
    medic_id = record.asked[0].medic_id
    with pytest.raises(c.Refused):
        await town.dispatcher.answer(medic_id, f"{record.id}-1", "accept", "websocket")
    await town.quiet()
    assert len(town.dispatcher.decisions.memory) == 0
    assert await town.dispatcher.alerts_of(medic_id) == []
    assert await town.now(record) is not None
    assert len(town.dispatcher.decisions.memory) == 0
    await town.dispatcher.acknowledged(medic_id, f"{record.id}-1-1")
    await town.dispatcher.tidy()
    assert len(town.dispatcher.decisions.memory) == 0


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
