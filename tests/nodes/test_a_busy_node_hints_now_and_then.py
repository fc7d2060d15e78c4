"""Each hint has every other node ask the database: however much there is to tell, hints and looks are few."""

import asyncio
import time

from dispatch.nodes.bus import APART_S
from dispatch.store import nodes as store
from tests.dispatcher.town import until

BUSY_S = 0.6


async def test_something_to_tell_all_the_time(nodes, monkeypatch):
    a, b = nodes
    await until(lambda: a.node.bus.listening and b.node.bus.listening)
    looks, look = [], store.look

    async def counted(pool):
        looks.append(pool is b.pool)
        return await look(pool)

    monkeypatch.setattr("dispatch.store.nodes.look", counted)
    hints, began = a.node.bus.hints, time.monotonic()
    while (took_s := time.monotonic() - began) < BUSY_S:
        a.node.bus.hint()
        await asyncio.sleep(0)
    most = took_s / APART_S + 2
    assert 1 < a.node.bus.hints - hints <= most
    assert 1 < sum(looks) <= most


async def test_the_first_thing_for_a_while_is_told_at_once(nodes):
    a, b = nodes
    await until(lambda: a.node.bus.listening and b.node.bus.listening)
    await asyncio.sleep(2 * APART_S)
    hints = a.node.bus.hints
    a.node.bus.hint()
    await asyncio.sleep(0)
    assert a.node.bus.hints == hints + 1
