"""A new node on the same database finds live incidents, claims, timers and what is still to be sent."""

from msgspec.structs import replace
from texting import Texting
from town import Town, a_policy, asked_by, some_medics, states

from dispatch.core import commands as c
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Note
from dispatch.records import Record
from dispatch.service.dispatcher import Dispatcher

PHONES = [medic.phone for medic in some_medics(2)]
BY_SMS = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=90)}


async def on_her_socket(town: Town, record: Record) -> Note:
    """The one notification for the first who was asked that goes there."""
    (note,) = [one for one in (await town.now(record)).state.alerts[0].notes if one.channel == "websocket"]
    return note


async def test_the_state_is_what_it_was(start_town):
    town = await start_town()
    devices = await town.add(some_medics(6))
    record = await town.report()
    await town.acknowledge_all(*devices[:2])
    await town.answer(record, 1, "decline")
    await town.answer(record, 2, "accept")
    await town.quiet()
    before = await town.now(record)
    await town.kill()
    again = await start_town(node_id="node-b")
    assert replace(await again.now(record), node=before.node) == before
    assert evolve_all(None, await again.events(record)) == before.state


async def test_claims_hold_and_waves_go_on(start_town):
    town = await start_town()
    await town.add(some_medics(9))
    record = await town.report()
    await town.quiet()
    await town.kill()
    again = await start_town(node_id="node-b")
    for i in range(9):
        again.connect(f"medic-{i:03}")
    other = await again.report("trauma")
    assert [asked.medic_id for asked in other.asked] == ["medic-003", "medic-004", "medic-005"]
    await again.pass_time(61)  # the second waves of both, who share the three that are left
    later = [asked.medic_id for one in (record, other) for asked in (await again.now(one)).asked[3:]]
    assert sorted(later) == ["medic-006", "medic-007", "medic-008"]


async def test_a_device_that_comes_back_gets_the_alert_it_has_not_acknowledged_once(start_town):
    town = await start_town()
    await town.add(some_medics(2))
    record = await town.report()
    await town.acknowledge_all(town.devices["medic-001"])
    await town.quiet()
    await town.kill()
    again = await start_town(node_id="node-b", grace_s=5)
    silent, told = again.connect("medic-000"), again.connect("medic-001")
    await again.quiet()
    assert [frame["alert_id"] for frame in silent.of("alert")] == [f"{record.id}-1"]
    assert silent.of("alert")[0]["id"] == town.devices["medic-000"].of("alert")[0]["id"]
    assert told.frames == []
    await again.acknowledge_all(silent)
    await again.quiet()
    again.disconnect(silent)
    assert again.connect("medic-000").frames == []
    assert states(await again.now(record)) == ["delivered", "delivered"]


async def test_killed_right_after_the_answer_the_alert_goes_out_on_the_next_socket(start_town):
    """Committed and not sent: the node died in between."""
    town = await start_town()
    await town.add(some_medics(1))
    town.hub.close_all()
    town.hub.put = lambda *_: (_ for _ in ()).throw(RuntimeError("the node died here"))
    record = await town.report()
    await town.kill()
    again = await start_town(node_id="node-b", grace_s=5)
    device = again.connect("medic-000")
    await again.quiet()
    assert [frame["alert_id"] for frame in device.of("alert")] == [f"{record.id}-1"]
    assert states(await again.now(record)) == ["sent"]


async def test_who_does_not_come_back_within_the_grace_has_failed_that_rung(start_town):
    town = await start_town(grace_s=5)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.pass_time(4)
    assert (await on_her_socket(town, record)).pending
    await town.pass_time(1.5)
    assert (await on_her_socket(town, record)).unsent


async def test_a_start_that_takes_longer_than_the_grace_leaves_devices_all_of_it(start_town, monkeypatch):
    town = await start_town()
    await town.add(some_medics(1))
    record = await town.report()
    await town.kill()
    read_digits = Dispatcher.read_digits

    async def slowly(dispatcher: Dispatcher) -> None:
        dispatcher._clock.move(6)
        await read_digits(dispatcher)

    monkeypatch.setattr(Dispatcher, "read_digits", slowly)
    again = await start_town(node_id="node-b", grace_s=5)
    await again.pass_time(4)
    assert (await on_her_socket(again, record)).pending
    device = again.connect("medic-000")
    await again.quiet()
    assert device.of("alert")


async def test_the_stand_down_reaches_a_device_that_comes_back(start_town):
    town = await start_town()
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.quiet()
    town.disconnect(device)
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    await town.kill()
    again = await start_town(node_id="node-b")
    device = again.connect("medic-000")
    await again.quiet()
    assert [frame["reason"] for frame in device.of("stand_down")] == ["cancelled"]
    assert device.of("alert") == []


async def test_an_sms_that_was_not_attempted_is_sent_once(start_town, texting: Texting):
    texting.twilio.fail_next(429, retry_after_s=60)
    town = await start_town(channels=texting.channels, policies=BY_SMS)
    await town.add(some_medics(1), connected=False)
    await town.report()
    await town.quiet()
    await town.kill(lapsed=False)
    again = await start_town(channels=texting.channels, policies=BY_SMS, node_id="node-b")
    texting.node = again
    await again.quiet()
    assert texting.twilio.messages == [], "the other node may live"
    await town.lapse()
    await again.pass_time(6)
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONES[0])) == 1


async def test_an_sms_that_may_have_been_sent_is_asked_about(start_town, texting: Texting):
    texting.twilio.callback_delay_s = 1000
    texting.twilio.reset_next(accepted=True)
    town = await start_town(channels=texting.channels, policies=BY_SMS)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await town.kill()
    again = await start_town(channels=texting.channels, policies=BY_SMS, node_id="node-b")
    await again.quiet()
    await again.pass_time(6)
    await again.quiet()
    assert len(texting.twilio.messages) == 1
    assert asked_by(await again.now(record))["medic-000"].state in ("sent", "delivered")


async def test_a_clean_stop_and_start_has_nothing_left_over(start_town):
    town = await start_town()
    await town.add(some_medics(3))
    record = await town.report()
    await town.stop()
    again = await start_town(node_id="node-b")
    assert states(await again.now(record)) == ["sent", "sent", "sent"]


async def test_the_digits_go_on_rotating(start_town, texting: Texting):
    town = await start_town(channels=texting.channels, policies=BY_SMS)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await texting.twilio.settle()
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    await town.kill()
    again = await start_town(channels=texting.channels, policies=BY_SMS, node_id="node-b")
    texting.node = again
    assert [asked.digit_pair for asked in (await again.report()).asked] == [1]
