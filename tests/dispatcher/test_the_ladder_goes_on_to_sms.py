"""The next rung comes at its time unless she saw it, and at once where the one before failed definitely."""

from texting import Texting
from town import KEY, Town, a_policy, asked_by, some_medics

from dispatch.core import events as e
from dispatch.records import Change, Details

PHONES = [medic.phone for medic in some_medics(3)]
TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0), ("sms", 8)])}


async def _started(start_town, texting: Texting) -> Town:
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    return town


async def test_unseen_for_eight_seconds_she_gets_an_sms(start_town, texting):
    town = await _started(start_town, texting)
    await town.add(some_medics(1))
    record = await town.report()
    await town.pass_time(7.5)
    assert texting.texts_to(PHONES[0]) == []
    await town.pass_time(0.6)
    await texting.twilio.settle()
    await town.quiet()
    assert len(texting.texts_to(PHONES[0])) == 1
    alert = asked_by(await town.now(record))["medic-000"]
    assert [(note.channel, note.state) for note in alert.notes] == [
        ("websocket", "sent"),
        ("sms", "delivered"),
    ]
    assert alert.state == "delivered"


async def test_corrected_before_that_it_says_so_and_no_other_follows(start_town, texting):
    town = await _started(start_town, texting)
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    await town.pass_time(5)
    moved = Change(("address",), Details(record.place.position, "Janskerkhof 2", None, None))
    await town.dispatcher.update(record.id, KEY, moved)
    for seconds in (4, 20):
        await town.pass_time(seconds)
        await texting.twilio.settle()
        await town.quiet()
    (text,) = texting.texts_to(PHONES[0])
    assert "Janskerkhof 2" in text
    assert [frame["incident"]["address"] for frame in device.of("update")] == ["Janskerkhof 2"]


async def test_seen_she_gets_none(start_town, texting):
    town = await _started(start_town, texting)
    await town.add(some_medics(1))
    record = await town.report()
    await town.dispatcher.seen("medic-000", f"{record.id}-1", "websocket")
    await town.pass_time(20)
    assert texting.texts_to(PHONES[0]) == []


async def test_without_a_socket_she_gets_it_at_once(start_town, texting):
    town = await _started(start_town, texting)
    await town.add(some_medics(1), connected=False)
    await town.report()
    await town.quiet()
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONES[0])) == 1


async def test_her_socket_that_went_with_the_alert_on_its_way_is_a_definite_failure(start_town, texting):
    town = await _started(start_town, texting)
    (device,) = await town.add(some_medics(1))
    town.hub.disconnect("medic-000", device)  # the roster does not know yet
    record = await town.report()
    await town.quiet()
    await texting.twilio.settle()
    assert len(texting.texts_to(PHONES[0])) == 1
    failed = [event for event in await town.events(record) if isinstance(event, e.NotificationFailed)]
    assert [(event.channel, event.reason, event.definite) for event in failed] == [
        ("websocket", "no_socket", True)
    ]


async def test_where_every_rung_failed_she_is_replaced_and_reached_by_a_socket_that_appears(
    start_town, texting
):
    town = await _started(start_town, texting)
    texting.twilio.phone(PHONES[0]).refused_with = 21614
    await town.add(some_medics(1), connected=False)
    await town.add(some_medics(2)[1:])
    record = await town.report()
    await town.quiet()
    assert asked_by(await town.now(record)).keys() == {"medic-000", "medic-001"}
    device = town.connect("medic-000")
    await town.quiet()
    assert [frame["alert_id"] for frame in device.of("alert")] == [f"{record.id}-1"]
    assert await town.answer(record, 1, "accept") == "accepted"


async def test_sms_off_is_no_way_to_reach_her(start_town):
    town = await start_town(policies=TRAUMA)
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    assert record.asked == ()
    assert record.state.exhausted
