"""Two nodes that decide at the same instant, a thousand times: one wins, the other decides again."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from town import KEY, Town, some_medics

from dispatch.core import commands as c
from dispatch.records import Record
from dispatch.sending import to_sockets
from dispatch.store.appends import Append, Conflict

pytestmark = pytest.mark.timeout(240)

ROUNDS = 500
"""Of each kind."""


@pytest.fixture
async def nodes(start_town, monkeypatch):
    monkeypatch.setattr(to_sockets, "SENT_AFTER_S", 0)
    one = await start_town(node_id="node-a")
    await one.add(some_medics(12))
    other = await start_town(node_id="node-b")
    for i in range(12):
        other.connect(f"medic-{i:03}")
    return one, other


@contextmanager
def at_one_barrier(*nodes: Town) -> Iterator[list[type[Conflict]]]:
    """The first append of each waits for the other's; gives what was refused."""
    barrier, refused = asyncio.Barrier(len(nodes)), []

    def meet(node: Town) -> None:
        append, met = node.appender.append, False

        async def met_first(work: Append, **about: Any) -> dict[str, int]:
            nonlocal met
            if not met:
                met = True
                await asyncio.wait_for(barrier.wait(), 10)
            try:
                return await append(work, **about)
            except Conflict as conflict:
                refused.append(type(conflict))
                raise

        node.appender.append = met_first  # type: ignore[method-assign]

    for node in nodes:
        meet(node)
    yield refused
    for node in nodes:
        del node.appender.append


async def quiet(*nodes: Town) -> None:
    """Nothing is being decided, so that the next append of each is the one that is meant."""
    for node in nodes:
        await node.quiet()


async def over(*records: Record, nodes: tuple[Town, ...]) -> None:
    """Cancelled, as each node knows."""
    for record in records:
        for node in nodes:
            await node.dispatcher.command(record.id, KEY, c.Cancel)
    await quiet(*nodes)


async def asked_now(node: Town, *records: Record) -> Counter[str]:
    stored = [await node.stored(record) for record in records]
    return Counter(asked.medic_id for record in stored for asked in record.asked)


async def test_about_two_incidents_and_the_same_medics(nodes):
    one, other = nodes
    for nth in range(ROUNDS):
        with at_one_barrier(one, other) as refused:
            first, second = await asyncio.gather(one.report(), other.report())
        assert refused, f"round {nth}: both won"
        asked = await asked_now(one, first, second)
        assert (len(asked), set(asked.values())) == (6, {1}), f"round {nth}: {asked}"
        await over(first, second, nodes=nodes)


async def test_about_one_incident(nodes):
    one, other = nodes
    for nth in range(ROUNDS):
        record = await one.report()
        await quiet(one)
        await other.now(record)
        await quiet(other)
        with at_one_barrier(one, other) as refused:
            await asyncio.gather(
                one.dispatcher.more(record.id, KEY, 2), other.dispatcher.more(record.id, KEY, 2)
            )
        assert refused, f"round {nth}: both won"
        asked = await asked_now(one, record)
        assert (len(asked), set(asked.values())) == (7, {1}), f"round {nth}: {asked}"
        await over(record, nodes=nodes)
