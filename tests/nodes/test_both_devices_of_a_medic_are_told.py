"""A medic has a device at each of two nodes: each is told, however soon the other one has acknowledged.

Found by the fault simulator: b read that she had it, and let the device at b show what was over.
"""

from dispatch.core import commands as c
from dispatch.records import Record
from tests.dispatcher.town import KEY, Device, Town, a_policy, until
from tests.nodes.conftest import two

WITHIN_S = 1.0


async def test_a_stand_down_that_was_heard_at_a_before_b_knew_of_it(nodes):
    a, b = nodes
    at_a, at_b, record = await alerted_at_both(a, b)
    await a.acknowledge_all(at_a)
    await b.node.alone()
    await a.dispatcher.command(record.id, KEY, c.Cancel)
    await a.acknowledge_all(at_a)
    await a.quiet()
    (told,) = [note for note in (await a.now(record)).state.alerts[0].notes if note.purpose == "stand_down"]
    assert told.state == "delivered"
    await b.node.following.look()
    await until(lambda: at_b.of("stand_down") == at_a.of("stand_down"), within_s=WITHIN_S)


async def test_an_answer_that_was_given_at_a(nodes):
    a, b = nodes
    at_a, at_b, record = await alerted_at_both(a, b)
    await a.answer(record, 1, "accept")
    await until(lambda: at_b.of("answered"), within_s=WITHIN_S)
    await a.answer(record, 1, "arrived")
    await until(lambda: len(at_b.of("answered")) == 2, within_s=WITHIN_S)
    assert [(told["alert_id"], told["state"]) for told in at_b.of("answered")] == [
        (f"{record.id}-1", "accepted"),
        (f"{record.id}-1", "arrived"),
    ]
    assert at_a.of("answered") == [], "whoever takes the answer tells them"


async def test_a_device_at_b_that_comes_back_is_not_sent_what_she_answered_at_a(nodes):
    a, b = nodes
    _, at_b, record = await alerted_at_both(a, b)
    await a.answer(record, 1, "decline")
    await until(lambda: at_b.of("answered"), within_s=WITHIN_S)
    b.disconnect(at_b)
    assert b.connect("medic-000").frames == []


async def test_a_stand_down_that_came_by_sms_while_a_took_b_for_dead(start_town, texting):
    """Nothing was put on a socket then; the device that is there after all is told all the same."""
    a, b, at_b, record = await alerted_at_b_and_by_sms(start_town, texting)
    await called_off_while_a_takes_b_for_dead(a, b, record, texting)
    await texting.twilio.settle()
    await until(lambda: _states(a, record.id, "stand_down") == ["failed", "delivered"])
    await b.node.following.look()
    await until(lambda: at_b.of("stand_down"), within_s=WITHIN_S)


async def test_a_stand_down_whose_sms_is_not_heard_yet_is_told_under_one_id(start_town, texting):
    """What is put on her socket here after all is not asked for anew as well."""
    a, b, at_b, record = await alerted_at_b_and_by_sms(start_town, texting)
    texting.twilio.callback_delay_s = 1000
    await called_off_while_a_takes_b_for_dead(a, b, record, texting)
    await until(lambda: _states(a, record.id, "stand_down") == ["failed", "sent"])
    await b.node.following.look()
    await until(lambda: at_b.of("stand_down"), within_s=WITHIN_S)
    await b.quiet()
    assert [told["id"] for told in at_b.of("stand_down")] == [f"{record.id}-1-3"]
    await b.acknowledge_all(at_b)
    await until(lambda: _states(b, record.id, "stand_down") == ["delivered", "sent"])


async def test_an_alert_left_to_b_that_came_by_sms_when_a_took_b_for_dead_is_told_under_one_id(
    start_town, texting
):
    a, b, at_b = await with_a_device_at_b(start_town, texting)
    await neither_follows(a, b)
    record = await a.report()
    await until(lambda: len(texting.twilio.messages) == 1)
    a.dispatcher.sockets_vanished(a.node.presence.forget(b.membership.id))
    await texting.twilio.settle()
    await until(lambda: _states(a, record.id) == ["failed", "delivered"])
    await b.node.following.look()
    await until(lambda: at_b.of("alert"), within_s=WITHIN_S)
    await b.quiet()
    assert [told["id"] for told in at_b.of("alert")] == [f"{record.id}-1-1"]


async def test_an_alert_that_was_heard_at_a_before_b_knew_of_it(nodes):
    a, b = nodes
    at_a, at_b = a.connect("medic-000"), b.connect("medic-000")
    await b.node.alone()
    record = await a.report()
    await a.acknowledge_all(at_a)
    await a.quiet()
    assert (await a.now(record)).state.alerts[0].delivered_at is not None
    await b.node.following.look()
    await until(lambda: at_b.of("alert") == at_a.of("alert"), within_s=WITHIN_S)


async def test_it_is_not_told_again_when_there_is_other_news(nodes):
    a, b = nodes
    _, at_b, record = await alerted_at_both(a, b)
    await b.acknowledge_all(at_b)
    await b.quiet()
    await a.dispatcher.more(record.id, KEY, 1)
    await until(lambda: b.node.dispatcher.decisions.memory.get(record.id).record.state.more == 1)
    assert len(at_b.of("alert")) == 1


async def test_who_connects_after_another_device_has_it_reads_it_and_is_not_sent_it(nodes):
    a, b = nodes
    at_a = a.connect("medic-000")
    record = await a.report()
    await a.acknowledge_all(at_a)
    await a.quiet()
    await until(lambda: b.node.dispatcher.decisions.memory.get(record.id) is not None)
    await b.node.following.look()
    at_b = b.connect("medic-000")
    (shown,) = await b.dispatcher.alerts_of("medic-000")
    assert shown.message.alert_id == at_a.of("alert")[0]["alert_id"]
    assert not at_b.of("alert")


async def with_a_device_at_b(start_town, texting) -> tuple[Town, Town, Device]:
    """Hers, whose ladder has both its rungs at once; a knows of it."""
    policies = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0), ("sms", 0)])}
    a, b = await two(start_town, channels=texting.channels, policies=policies)
    texting.node = a
    at_b = b.connect("medic-000")
    await until(lambda: a.node.presence.elsewhere("medic-000"), within_s=WITHIN_S)
    return a, b, at_b


async def alerted_at_b_and_by_sms(start_town, texting) -> tuple[Town, Town, Device, Record]:
    a, b, at_b = await with_a_device_at_b(start_town, texting)
    record = await a.report()
    await until(lambda: at_b.of("alert"), within_s=WITHIN_S)
    await b.acknowledge_all(at_b)
    await texting.twilio.settle()
    await until(lambda: _states(a, record.id) == ["delivered", "delivered"])
    return a, b, at_b, record


async def called_off_while_a_takes_b_for_dead(a: Town, b: Town, record: Record, texting) -> None:
    await neither_follows(a, b)
    a.membership.saw((a.membership.id,))
    assert a.node.presence.forget(b.membership.id) == ["medic-000"]
    await a.dispatcher.command(record.id, KEY, c.Cancel)
    await until(lambda: len(texting.twilio.messages) == 2)


async def neither_follows(a: Town, b: Town) -> None:
    await a.node.alone()
    await b.node.alone()


def _states(town: Town, incident_id: str, purpose: str = "alert") -> list[str]:
    """Of the notifications of its first alert, as the node's memory has them."""
    record = town.node.dispatcher.decisions.memory.get(incident_id).record
    return [note.state for note in record.state.alerts[0].notes if note.purpose == purpose]


async def alerted_at_both(a: Town, b: Town) -> tuple[Device, Device, Record]:
    at_a, at_b = a.connect("medic-000"), b.connect("medic-000")
    record = await a.report()
    await until(lambda: at_a.of("alert") and at_b.of("alert"), within_s=WITHIN_S)
    return at_a, at_b, record
