"""A stand-down has an alert's receipts, ladder and retries: on a device that is gone, through a kill, by SMS.

What a provider in trouble does to one is in `tests/faults/outside`.
"""

import pytest
from texting import Texting
from town import Device, Town, a_policy, some_medics

from dispatch.core import commands as c
from dispatch.records import Record

(PHONE,) = (medic.phone for medic in some_medics(1))
BOTH = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0), ("sms", 8)], answer_within_s=90)}
BY_SOCKET = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0)], answer_within_s=90)}
BY_SMS = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=90)}


async def alerted(town: Town) -> tuple[Record, Device]:
    """One medic, whose device has said that it has the alert."""
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.acknowledge_all(device)
    await town.quiet()
    assert [note.state for note in (await town.now(record)).state.alerts[0].notes] == ["delivered"]
    return record, device


async def cancelled(town: Town, record: Record) -> None:
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()


def told_to_stop(device: Device) -> list[str]:
    assert not device.of("alert")
    return [frame["reason"] for frame in device.of("stand_down")]


async def by_sms(start_town, texting: Texting) -> tuple[Town, Record]:
    """One medic without a socket, on whose phone the alert is."""
    town = await start_town(channels=texting.channels, policies=BY_SMS)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await town.quiet()
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.texts_to(PHONE)) == 1
    return town, record


async def test_it_waits_for_a_device_that_had_the_alert_and_has_gone(start_town):
    town = await start_town(policies=BY_SOCKET)
    record, device = await alerted(town)
    town.disconnect(device)
    await cancelled(town, record)
    await town.pass_time(600)
    back = town.connect("medic-000")
    assert told_to_stop(back) == []
    await town.quiet()
    assert told_to_stop(back) == ["cancelled"]


async def test_it_is_put_again_until_the_device_says_that_it_has_it(start_town):
    town = await start_town(policies=BY_SOCKET)
    record, device = await alerted(town)
    await cancelled(town, record)
    ids = [frame["id"] for frame in device.of("stand_down")]
    town.disconnect(device)
    again = town.connect("medic-000")
    assert [frame["id"] for frame in again.frames] == ids
    await town.acknowledge_all(again)
    await town.quiet()
    town.disconnect(again)
    assert town.connect("medic-000").frames == []


@pytest.mark.parametrize("gone_before", [True, False])
async def test_it_outlives_the_node(start_town, gone_before):
    """Put on a socket and not acknowledged, or not even that: the next life puts it, until it is."""
    town = await start_town(policies=BY_SOCKET)
    record, device = await alerted(town)
    if gone_before:
        town.disconnect(device)
    await cancelled(town, record)
    await town.kill()
    for _ in range(2):
        town = await start_town(policies=BY_SOCKET, node_id="node-b")
        back = town.connect("medic-000")
        await town.quiet()
        assert told_to_stop(back) == ["cancelled"]
        await town.kill()
    town = await start_town(policies=BY_SOCKET, node_id="node-b")
    back = town.connect("medic-000")
    await town.quiet()
    await town.acknowledge_all(back)
    await town.quiet()
    await town.kill()
    town = await start_town(policies=BY_SOCKET, node_id="node-c")
    assert town.connect("medic-000").frames == []


async def test_it_goes_by_sms_when_the_device_that_had_it_by_sms_too_does_not_say_so(start_town, texting):
    town = await start_town(channels=texting.channels, policies=BOTH)
    texting.node = town
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.pass_time(8.1)
    await texting.twilio.settle()
    await town.quiet()
    await cancelled(town, record)
    assert device.of("stand_down")
    await town.pass_time(8.1)
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONE)) == 2


async def test_one_that_a_killed_node_had_not_sent_is_sent_by_the_next(start_town, texting):
    town, record = await by_sms(start_town, texting)
    texting.twilio.fail_next(429, retry_after_s=60)
    await cancelled(town, record)
    await town.kill()
    again = await start_town(channels=texting.channels, policies=BY_SMS, node_id="node-b")
    texting.node = again
    await again.pass_time(6)
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONE)) == 2


@pytest.mark.parametrize("taken", [True, False])
async def test_one_in_flight_at_the_kill_is_asked_about_and_sent_once(start_town, texting, taken):
    texting.twilio.callback_delay_s = 1000
    town, record = await by_sms(start_town, texting)
    texting.twilio.reset_next(accepted=taken)
    texting.twilio.hang_next(call="list")
    await cancelled(town, record)
    await town.kill()
    again = await start_town(channels=texting.channels, policies=BY_SMS, node_id="node-b")
    texting.node = again
    for _ in range(5):
        await again.pass_time(6)
    assert len(texting.texts_to(PHONE)) == 2
    note = (await again.now(record)).state.alerts[0].notes[-1]
    assert (note.purpose, note.state in ("sent", "delivered")) == ("stand_down", True)


async def test_it_is_not_given_up_before_a_provider_in_trouble_comes_round(start_town, texting):
    town, record = await by_sms(start_town, texting)
    texting.twilio.fail_next(429, times=20, retry_after_s=25)
    await cancelled(town, record)
    for _ in range(22):
        await town.pass_time(26)
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONE)) == 2
