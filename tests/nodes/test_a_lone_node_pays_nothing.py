"""Alone, a node sends no NOTIFY, writes no news, and reads nothing of its own back."""

import asyncio

from dispatch.records import Fix
from dispatch.store import nodes as store
from tests.dispatcher.town import some_medics, until


async def test_no_news_and_no_hints(start_town):
    town = await start_town()
    devices = await town.add(some_medics(3))
    record = await town.report()
    await town.acknowledge_all(*devices)
    await town.dispatcher.moved(Fix("medic-001", 52.09, 5.12, 10, town.clock.now_ms()))
    await town.answer(record, 1, "accept")
    town.disconnect(devices[2])
    await asyncio.sleep(0.4)
    await town.quiet()
    assert town.node.bus.hints == 0
    assert not town.node.bus.listening
    assert (await store.look(town.pool)).news_no == 0
    assert [check.ok for check in town.node.checks() if check.name == "bus"] == [True]


async def test_its_own_decisions_are_not_read_back(start_town, monkeypatch):
    read = []
    town = await start_town()
    following = town.node.following
    real = following._read_feed

    async def counted(room_id, position):
        read.append((room_id, position))
        await real(room_id, position)

    monkeypatch.setattr(following, "_read_feed", counted)
    for i in range(30):
        await town.report(reference=f"r{i}")
    await asyncio.sleep(0.7)
    assert read == []


async def test_it_notices_when_it_is_alone_again(nodes):
    a, b = nodes
    await until(lambda: a.node.bus.listening and b.node.bus.listening)
    await b.stop()
    await until(lambda: a.membership.alone, within_s=1)
