"""Sockets that come and go, several of one medic: what is not acknowledged is sent again, the last of it."""

import asyncio

from town import a_policy, some_medics, states

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.sending import to_sockets


async def test_a_socket_that_comes_back_gets_the_alert_again_until_it_is_acknowledged(town):
    (first,) = await town.add(some_medics(1))
    await town.report()
    town.disconnect(first)
    second = town.connect("medic-000")
    assert second.of("alert") == first.of("alert")
    town.disconnect(second)
    third = town.connect("medic-000")
    assert third.of("alert") == first.of("alert")
    await town.acknowledge_all(third)
    await town.quiet()
    assert town.connect("medic-000").frames == []


async def test_all_her_sockets_get_everything_and_one_acknowledgement_counts(town):
    (phone,) = await town.add(some_medics(1))
    tablet = town.connect("medic-000")
    record = await town.report()
    assert phone.of("alert") == tablet.of("alert")
    assert len(phone.of("alert")) == 1
    await town.acknowledge_all(tablet)
    await town.quiet()
    assert states(await town.now(record)) == ["delivered"]
    town.disconnect(tablet)
    assert await town.answer(record, 1, "accept") == "accepted"
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    assert phone.of("stand_down")


async def test_a_stand_down_missed_is_all_that_a_device_gets(town):
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.quiet()
    town.disconnect(device)
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    again = town.connect("medic-000")
    await town.quiet()
    assert [frame["type"] for frame in again.frames] == ["stand_down"]


async def test_what_is_decided_together_with_its_end_rings_no_phone(town):
    """As under load: a tick that asks, and the accept that covers, in one commit."""
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.dispatcher.command(record.id, "key-1", c.Enough)
    await town.quiet()
    told = len(device.frames)
    await asyncio.gather(
        town.dispatcher.more(record.id, "key-1", 1), town.dispatcher.command(record.id, "key-1", c.Enough)
    )
    await town.quiet()
    now = await town.now(record)
    assert states(now) == ["stood_down", "stood_down"]
    assert [frame["type"] for frame in device.frames[told:]] == ["stand_down"]
    assert not any(note.pending for alert in now.state.alerts for note in alert.notes)


async def test_what_she_was_to_have_had_does_not_come_after_its_stand_down(start_town, monkeypatch):
    """When the grace after a start ends; that the alert is on her socket had not been committed by then."""
    monkeypatch.setattr(to_sockets, "SENT_AFTER_S", 60.0)
    town = await start_town(grace_s=5)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    device = town.connect("medic-000")
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    town.clock.move(6)
    await town.dispatcher.outgoing.look()
    assert [frame["type"] for frame in device.frames] == ["alert", "stand_down"]


async def test_accepted_after_a_missed_stand_down_it_is_not_told_any_more(start_town):
    """Stood down as covered while offline; the other withdraws, and her late accept is taken."""
    town = await start_town(policies={"trauma": a_policy(waves=[(0, 2)], alerts_max=2)})
    devices = await town.add(some_medics(2))
    record = await town.report()
    await town.quiet()
    town.disconnect(devices[1])
    await town.answer(record, 1, "accept")
    await town.quiet()
    assert states(await town.now(record)) == ["accepted", "stood_down"]
    await town.answer(record, 1, "decline")
    assert await town.answer(record, 2, "accept") == "accepted"
    again = town.connect("medic-001")
    await town.quiet()
    assert again.of("stand_down") == []


async def test_a_flapping_socket_writes_no_event_without_end(town):
    await town.add(some_medics(1))
    record = await town.report()
    await town.quiet()
    before = (await town.now(record)).state.seq
    for _ in range(50):
        town.disconnect(town.devices["medic-000"])
        town.connect("medic-000")
    await town.quiet()
    assert (await town.now(record)).state.seq == before


async def test_what_failed_on_a_socket_that_had_gone_is_asked_for_anew_when_one_appears(town):
    (device,) = await town.add(some_medics(1))
    town.hub.disconnect("medic-000", device)  # the roster does not know yet
    record = await town.report()
    await town.quiet()
    again = town.connect("medic-000")
    await town.quiet()
    assert len(again.of("alert")) == 1
    requested = [event for event in await town.events(record) if isinstance(event, e.NotificationRequested)]
    assert len(requested) == 2


async def test_an_alert_that_ran_out_unheard_comes_to_no_device_any_more(start_town):
    """It has its place in her list, as the incident is now; when that has ended, or is held, nowhere."""
    town = await start_town(policies={"trauma": a_policy(answer_within_s=30)})
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    town.disconnect(device)
    await town.pass_time(31)
    assert states(await town.now(record)) == ["expired"]
    again = town.connect("medic-000")
    await town.quiet()
    assert again.frames == []
    (shown,) = await town.dispatcher.alerts_of("medic-000")
    assert shown.state == "expired"
    await town.acknowledge_all(device)  # its word was on the way
    await town.dispatcher.command(record.id, "key-1", c.Close)
    assert [frame["type"] for frame in again.frames] == ["stand_down"]


async def test_an_acknowledgement_of_what_is_not_hers_is_ignored(town):
    await town.add(some_medics(2))
    record = await town.report()
    await town.dispatcher.acknowledged("medic-001", town.devices["medic-000"].frames[0]["id"])
    for nonsense in ("", "x", f"{record.id}-1-99", f"{record.id}-99-1", "0-1-1"):
        await town.dispatcher.acknowledged("medic-000", nonsense)
    await town.quiet()
    assert states(await town.now(record)) == ["sent", "sent"]


async def test_her_list_shows_what_her_device_is_to_show(start_town):
    town = await start_town(policies={"trauma": a_policy(answer_within_s=30)})
    await town.add(some_medics(3))
    record = await town.report()
    await town.answer(record, 1, "decline")
    assert await town.dispatcher.alerts_of("medic-000") == []
    (shown,) = await town.dispatcher.alerts_of("medic-001")
    assert (shown.message.alert_id, shown.state) == (f"{record.id}-2", "requested")
    await town.pass_time(31)
    (shown,) = await town.dispatcher.alerts_of("medic-001")
    assert shown.state == "expired"
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    assert await town.dispatcher.alerts_of("medic-001") == []
