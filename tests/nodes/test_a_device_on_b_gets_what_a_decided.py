"""A medic's socket is on one node, and her alert decided on another: within the second it is on her phone."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core.incident import Note
from dispatch.records import Fix
from dispatch.store import medics
from tests.dispatcher.town import KEY, a_policy, asked_by, some_medics, soon, states, until
from tests.nodes.conftest import two

WITHIN_S = 1.0


async def known_at(node, count):
    await until(lambda: node.roster.counts().connected == count, within_s=WITHIN_S)


async def test_the_alert_is_there_within_a_second_and_not_before_the_commit(nodes):
    a, b = nodes
    device = b.connect("medic-000")
    await known_at(a, 1)
    began = time.monotonic()
    record = await a.report()
    assert [asked.medic_id for asked in record.asked] == ["medic-000"]
    await until(lambda: device.of("alert"), within_s=WITHIN_S)
    assert time.monotonic() - began < WITHIN_S
    assert [frame["alert_id"] for frame in device.of("alert")] == [f"{record.id}-1"]


async def test_half_of_a_wave_on_each_node_rings_once_each(nodes):
    a, b = nodes
    devices = [(a, b)[i % 2].connect(f"medic-{i:03}") for i in range(10)]
    await known_at(a, 10)
    await known_at(b, 10)
    record = await a.report("cardiac_arrest")
    assert len(record.asked) == 10
    await until(lambda: all(device.of("alert") for device in devices), within_s=WITHIN_S)
    for device, node in zip(devices, nodes * 5, strict=True):
        await node.acknowledge_all(device)

    async def delivered() -> bool:
        return states(await a.now(record)) == ["delivered"] * 10

    await soon(delivered)
    assert all(len(device.of("alert")) == 1 for device in devices)
    stored = await a.stored(record)
    notes = [note for alert in stored.state.alerts for note in alert.notes if note.channel == "websocket"]
    assert [note.state for note in notes] == ["delivered"] * 10


async def test_an_answer_at_b_counts_at_a_and_covers(nodes):
    a, b = nodes
    for i in range(3):
        b.connect(f"medic-{i:03}")
    await known_at(a, 3)
    record = await a.report()
    assert await b.answer(record, 1, "accept") == "accepted"

    async def accepted() -> bool:
        now = await a.now(record)
        return now.state.alert(1).state == "accepted" and asked_by(now)["medic-001"].reason == "covered"

    await soon(accepted, within_s=WITHIN_S)
    await until(lambda: b.devices["medic-001"].of("stand_down"), within_s=WITHIN_S)
    assert a.roster.held("medic-000")[0].engaged


async def test_an_answer_at_b_the_moment_after_a_asked_is_not_refused(nodes):
    """B has not heard of the alert yet; the device has it from her other socket, on a."""
    a, b = nodes
    await b.node.alone()
    a.connect("medic-000")
    record = await a.report()
    await b.now(record)
    more = await a.dispatcher.more(record.id, "key-1", 1)
    assert len(more.asked) == 1
    assert await b.answer(record, 1, "decline") == "declined"


async def test_a_cancel_at_b_stands_down_who_is_on_a(nodes):
    a, b = nodes
    device = a.connect("medic-000")
    record = await a.report()
    await until(lambda: device.of("alert"))
    await b.dispatcher.command(record.id, "key-1", c.Cancel)
    await until(lambda: device.of("stand_down"), within_s=WITHIN_S)


async def test_a_socket_that_moves_from_b_to_a_gets_the_alert_at_a(nodes):
    a, b = nodes
    before = b.connect("medic-000")
    await known_at(a, 1)
    record = await a.report()
    await until(lambda: before.of("alert"))
    b.disconnect(before)
    after = a.connect("medic-000")
    await until(lambda: after.of("alert"), within_s=WITHIN_S)
    assert after.of("alert")[0]["id"] == before.of("alert")[0]["id"]

    async def sent() -> bool:
        return states(await a.stored(record)) == ["sent"]

    await soon(sent)


async def test_who_vanishes_from_her_last_node_has_failed_that_rung(texting, start_town):
    """Until then it is left to that node. She may have had it there, so the next rung keeps its time."""
    ladder = [("websocket", 0), ("sms", 60)]
    policies = {"trauma": a_policy(waves=[(0, 1)], ladder=ladder, answer_within_s=90)}
    a, b = await two(start_town, channels=texting.channels, policies=policies)
    texting.node = a
    device = b.connect("medic-000")
    await known_at(a, 1)
    await b.node.alone()  # it puts nothing on its socket, as a node that is about to die
    record = await a.report()
    await a.quiet()
    (note,) = asked_by(await a.now(record))["medic-000"].notes
    assert note.pending
    b.disconnect(device)
    await b.node.newsroom.publish()

    async def by_sms() -> bool:
        return [note.channel for note in await notes()] == ["websocket", "sms"]

    async def failed() -> bool:
        return [note.state for note in await notes()] == ["failed"]

    async def notes() -> tuple[Note, ...]:
        return asked_by(await a.now(record))["medic-000"].notes

    await soon(failed, within_s=WITHIN_S)
    await a.pass_time(61)
    await soon(by_sms, within_s=WITHIN_S)


async def test_a_device_that_connects_while_it_is_decided_elsewhere_is_told(nodes):
    """Her socket came to b, and a asked her by it before it knew: failed there, asked for anew here."""
    a, b = nodes
    a.connect("medic-001")
    record = await a.report()
    b.node.newsroom.socket = lambda *_: None  # type: ignore[method-assign]
    device = b.connect("medic-000")
    a.roster.connected("medic-000", True)
    await a.dispatcher.more(record.id, "key-1", 1)
    await until(lambda: device.of("alert"), within_s=WITHIN_S)


async def test_a_position_posted_at_b_is_used_by_a_search_at_a(nodes):
    a, b = nodes
    for i in range(6):
        b.connect(f"medic-{i:03}")
    await known_at(a, 6)
    square = b.roster.get("medic-005").places[0].lat - 150 / 111_195.2
    await b.dispatcher.moved(Fix("medic-005", square, 5.12, 10, b.clock.now_ms()))
    await until(lambda: a.roster.fix("medic-005") is not None, within_s=WITHIN_S)
    record = await a.report()
    assert [asked.medic_id for asked in record.asked] == ["medic-005", "medic-000", "medic-001"]


async def test_a_node_that_joins_is_told_of_sockets_and_fixes(start_town):
    a = await start_town(node_id="node-a")
    await a.add(some_medics(3))
    await a.dispatcher.moved(Fix("medic-001", 52.09, 5.12, 10, a.clock.now_ms()))
    b = await start_town(node_id="node-b")
    await known_at(b, 3)
    assert b.roster.fix("medic-001") == a.roster.fix("medic-001")
    record = await b.report()
    assert [asked.medic_id for asked in record.asked] == ["medic-001", "medic-000", "medic-002"]
    await until(lambda: a.devices["medic-000"].of("alert"), within_s=WITHIN_S)


async def test_suspended_at_b_her_alert_ends_and_a_asks_her_no_more(nodes):
    a, b = nodes
    device = a.connect("medic-000")
    record = await a.report()
    await medics.change(b.pool, "medic-000", lambda medic: replace(medic, suspended=True))

    async def ended() -> bool:
        return states(await a.now(record)) == ["stood_down"]

    await soon(ended, within_s=2)
    await until(lambda: device.of("stand_down"), within_s=WITHIN_S)
    assert a.roster.get("medic-000").suspended
    assert (await a.report()).asked == ()


async def test_stood_down_by_b_since_she_left_she_is_not_asked_again_by_a_which_has_not_heard_of_it(nodes):
    a, b = nodes
    a.connect("medic-000")
    record = await a.report()
    await until(lambda: b.roster.held("medic-000"), within_s=WITHIN_S)
    await a.node.alone()
    before = b.roster.get("medic-000")
    after = await medics.change(b.pool, "medic-000", lambda medic: replace(medic, suspended=True))
    await b.dispatcher.medic_changed(after, before=before)
    assert not a.roster.get("medic-000").suspended
    await a.pass_time(11)
    await a.dispatcher.more(record.id, KEY, 1)
    assert states(await a.now(record)) == ["stood_down"]


async def test_signed_out_at_b_her_socket_at_a_is_closed(nodes):
    a, b = nodes
    device = a.connect("medic-000")
    b.dispatcher.signed_out("medic-000")
    await until(lambda: device.closed == 4401, within_s=WITHIN_S)


@pytest.mark.parametrize("more_since", [False, True])
async def test_where_news_was_missed_every_device_says_hello_again(start_town, more_since):
    """As where a machine stands still for minutes: she may have signed out meanwhile, at another node."""
    a = await start_town()
    b = await start_town(node_id="node-b", deaf=True)
    device = b.connect("medic-000")
    await until(lambda: not a.membership.alone)
    await b.node.following.look()
    assert device.closed is None
    a.dispatcher.signed_out("medic-000")
    await a.node.newsroom.publish()
    await a.pool.execute("delete from news")  # after a minute
    if more_since:
        a.dispatcher.signed_out("medic-001")
        await a.node.newsroom.publish()
    forgotten = []
    b.node.medics.forget_tokens = forgotten.append
    await b.node.following.look()
    assert device.closed == 1012
    assert forgotten[0] is None
    b.disconnect(device)
    assert b.connect("medic-000").closed is None


async def test_a_follower_of_the_feed_at_b_is_woken_by_what_a_decides(nodes):
    a, b = nodes
    at = b.node.dispatcher
    first = await a.report()
    await until(lambda: at.decisions.memory.get(first.id) is not None, within_s=WITHIN_S)
    record = await a.report()
    assert await at.wakeups.later_than(a.room_id, record.feed_pos - 1, WITHIN_S)


async def test_a_socket_at_b_that_came_and_went_before_a_knew_of_its_commit_is_told_to_stop(
    nodes, monkeypatch
):
    """Found by the fault simulator: a said that her phone had certainly never rung, and told it no more."""
    a, b = nodes
    device = b.connect("medic-000")
    await known_at(a, 1)
    written, gone = a.appender.append, asyncio.Event()

    async def slow(*what, **how):
        positions = await written(*what, **how)
        await gone.wait()
        return positions

    monkeypatch.setattr(a.appender, "append", slow)
    reporting = asyncio.create_task(a.report())
    await until(lambda: device.of("alert"), within_s=WITHIN_S)
    b.disconnect(device)
    await known_at(a, 0)
    gone.set()
    record = await reporting
    await a.quiet()
    (note,) = [one for one in (await a.now(record)).state.alerts[0].notes if one.channel == "websocket"]
    assert (note.state, note.definite) == ("failed", False)
    await a.dispatcher.command(record.id, KEY, c.Cancel)
    await a.quiet()
    device = b.connect("medic-000")
    await until(lambda: device.of("stand_down"), within_s=WITHIN_S)
