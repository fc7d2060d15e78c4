"""A node that dies is taken over within five seconds: its timers, its unsent messages, its medics' rungs."""

import asyncio
import time

import pytest

from dispatch.core import commands as c
from dispatch.store import incidents
from tests.dispatcher.town import a_policy, asked_by, some_medics, soon, states, until
from tests.joined import lapse

WITHIN_S = 5.0
BY_SMS = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=90)}


async def test_its_timers_go_off_at_the_other_within_five_seconds(nodes):
    a, b = nodes
    for i in range(9):
        b.connect(f"medic-{i:03}")
    await until(lambda: a.roster.counts().connected == 9)
    record = await a.report()
    await until(lambda: b.dispatcher.decisions.memory.get(record.id) is not None)
    began = time.monotonic()
    await a.kill(lapsed=False)
    await b.pass_time(0)

    async def had() -> bool:
        return record.id in await incidents.had_by(b.pool, b.membership.id)

    await soon(had, within_s=WITHIN_S)
    assert time.monotonic() - began < WITHIN_S
    await until(lambda: b.dispatcher.decisions.ours(b.dispatcher.decisions.memory.get(record.id)))
    await b.pass_time(61)
    assert len((await b.now(record)).asked) == 6


async def test_its_timers_are_the_others_though_the_reply_to_the_taking_over_was_lost(nodes, monkeypatch):
    """What was taken over without its being known is nobody else's any more."""
    a, b = nodes
    for i in range(9):
        b.connect(f"medic-{i:03}")
    await until(lambda: a.roster.counts().connected == 9)
    record = await a.report()
    await a.answer(record, 1, "accept")
    await asyncio.sleep(0.5)
    await a.quiet()
    await b.quiet()
    await a.answer(record, 1, "arrived")  # decided at a, after whatever b's devices have said; nobody is told
    await a.quiet()
    real, lost = incidents.take_over, []

    async def take_over(*about):
        taken = await real(*about)
        if taken and not lost:
            lost.append(taken)
            raise ConnectionResetError
        return taken

    monkeypatch.setattr(incidents, "take_over", take_over)
    await a.kill()
    await until(lambda: lost, within_s=WITHIN_S)
    assert lost == [[record.id]]
    await until(lambda: b.dispatcher.decisions.ours(b.dispatcher.decisions.memory.get(record.id)))


async def test_its_unsent_sms_is_sent_once_by_the_other(texting, start_town):
    texting.twilio.fail_next(429, retry_after_s=60)
    a = await start_town(node_id="node-a", channels=texting.channels, policies=BY_SMS)
    await a.add(some_medics(1), connected=False)
    b = await start_town(node_id="node-b", channels=texting.channels, policies=BY_SMS)
    texting.node = b
    await until(lambda: not a.membership.alone)
    await a.report()
    await a.quiet()
    assert texting.twilio.messages == []
    await a.kill(lapsed=False)
    await until(lambda: texting.twilio.messages, within_s=WITHIN_S)
    await texting.twilio.settle()
    await b.quiet()
    assert len(texting.twilio.messages) == 1


async def test_the_sockets_of_a_dead_node_are_nobodys(nodes):
    a, b = nodes
    a.connect("medic-000")
    await until(lambda: b.roster.counts().connected == 1)
    await a.kill()
    await until(lambda: b.roster.counts().connected == 0, within_s=WITHIN_S)


async def test_a_stop_hands_over_at_once(nodes):
    a, b = nodes
    b.connect("medic-000")
    await until(lambda: a.roster.counts().connected == 1)
    record = await a.report()
    await a.stop()

    async def had() -> bool:
        return record.id in await incidents.had_by(b.pool, b.membership.id)

    await soon(had, within_s=1.5)


async def test_a_due_timer_takes_effect_once_though_both_believe_to_have_it(nodes):
    a, b = nodes
    for i in range(9):
        (a, b)[i % 2].connect(f"medic-{i:03}")
    await until(lambda: a.roster.counts().connected == b.roster.counts().connected == 9)
    record = await a.report()
    await until(lambda: b.dispatcher.decisions.memory.get(record.id) is not None)
    for node in nodes:
        node.dispatcher.decisions._ticks._ours = lambda _: True
        node.clock.move(61)
        live = node.dispatcher.decisions.memory.get(record.id)
        node.dispatcher.decisions._ticks.set(live)
    await asyncio.sleep(0.3)
    await a.quiet()
    await b.quiet()
    stored = await a.stored(record)
    assert len(stored.asked) == 6
    types = [type(event).__name__ for event in await a.events(record)]
    assert types.count("WaveDecided") == 2


async def test_a_fenced_node_is_refused_and_goes_on_in_a_new_life(nodes):
    """A zombie: it slept past its lease, and everything of its was taken over."""
    a, b = nodes
    a.connect("medic-000")
    record = await a.report()
    await a.quiet()
    former = a.membership.id
    await a.node._renewing.cancel()
    await lapse(b.pool, former)

    async def had() -> bool:
        return record.id in await incidents.had_by(b.pool, b.membership.id)

    await soon(had)
    assert await a.answer(record, 1, "accept") == "accepted"
    assert a.membership.id != former
    stored = await b.stored(record)
    assert stored.node == a.membership.id
    assert states(stored) == ["accepted"]
    await until(lambda: b.roster.counts().connected == 1)
    assert (await a.report()).state.live


async def test_a_fenced_node_that_does_nothing_lives_anew_by_itself(nodes):
    a, b = nodes
    device = a.connect("medic-000")
    await until(lambda: b.roster.counts().connected == 1)
    former = a.membership.id
    await lapse(b.pool, former)
    await until(lambda: a.membership.id != former, within_s=2)
    await until(lambda: b.membership.others == (a.membership.id,), within_s=2)
    await until(lambda: b.roster.counts().connected == 1, within_s=2)
    record = await b.report()
    await until(lambda: device.of("alert"), within_s=2)
    assert [asked.medic_id for asked in record.asked] == ["medic-000"]


async def test_two_who_were_given_one_name_do_not_fence_each_other_for_ever(start_town):
    a = await start_town(node_id="twin")
    b = await start_town(node_id="twin")
    former = a.membership.id
    await until(lambda: a.membership.id != former, within_s=3)
    names = [a.membership.id, b.membership.id]
    await asyncio.sleep(1.2)
    assert [a.membership.id, b.membership.id] == names
    await until(lambda: a.membership.others == (b.membership.id,), within_s=1)


@pytest.mark.parametrize("count", [300])
async def test_of_many_incidents_each_is_taken_over_by_one(start_town, count):
    a = await start_town(node_id="node-a")
    records = [await a.report(reference=f"r{i}") for i in range(count)]
    others = [await start_town(node_id=name) for name in ("node-b", "node-c")]
    await a.kill()

    async def all_had() -> bool:
        had = [await incidents.had_by(node.pool, node.membership.id) for node in others]
        return sorted(had[0] + had[1]) == sorted(record.id for record in records)

    await soon(all_had, within_s=WITHIN_S)
    one = await others[0].dispatcher.command(records[0].id, "key-1", c.Cancel)
    assert one.state.state == "cancelled"
    assert not asked_by(one)
