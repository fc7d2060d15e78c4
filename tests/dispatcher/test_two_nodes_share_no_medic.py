"""A node whose memory lags behind the database: refused, it reads again and decides anew.

Two nodes on one database that tell each other nothing are the worst such lag.
"""

import asyncio
from collections import Counter

import pytest
from town import asked_by, some_medics, states

from dispatch.core import commands as c


@pytest.fixture
async def nodes(start_town):
    one = await start_town(node_id="node-a", deaf=True)
    await one.add(some_medics(12))
    other = await start_town(node_id="node-b", deaf=True)
    for i in range(12):
        other.connect(f"medic-{i:03}")
    return one, other


async def test_who_is_asked_by_the_other_is_left_out(nodes):
    one, other = nodes
    first = await one.report()
    second = await other.report()
    assert [asked.medic_id for asked in first.asked] == ["medic-000", "medic-001", "medic-002"]
    assert [asked.medic_id for asked in second.asked] == ["medic-003", "medic-004", "medic-005"]


async def test_what_the_other_has_ended_holds_nobody_here(nodes):
    one, other = nodes
    first = await one.report()
    await other.report()  # learns of the first
    await other.quiet()
    await one.dispatcher.command(first.id, "key-1", c.Cancel)
    await one.quiet()
    await other.dispatcher.seen("medic-000", f"{first.id}-1", "websocket")  # refused once, then read again
    third = await other.report()
    assert [asked.medic_id for asked in third.asked] == ["medic-000", "medic-001", "medic-002"]


async def test_more_urgent_it_takes_her_from_the_others_incident(nodes):
    one, other = nodes
    less = await one.report("other")
    more = await other.report("trauma")
    assert [asked.medic_id for asked in more.asked] == ["medic-000", "medic-001", "medic-002"]
    now = asked_by(await other.stored(less))
    assert [now[f"medic-{i:03}"].reason for i in range(3)] == ["engaged"] * 3
    assert sum(alert.open for alert in now.values()) == 3


async def test_both_deciding_about_one_incident_lose_nothing(nodes):
    one, other = nodes
    record = await one.report("cardiac_arrest")
    await one.quiet()
    await other.now(record)
    await asyncio.gather(
        *(node.answer(record, n, "decline") for n, node in zip(range(1, 11), nodes * 5, strict=True))
    )
    assert states(await one.stored(record))[:10] == ["declined"] * 10


async def test_many_at_once_on_both_share_nobody(nodes):
    one, other = nodes
    await one.add(some_medics(52)[12:])
    for i in range(12, 52):
        other.roster.put(one.roster.get(f"medic-{i:03}"))
        other.connect(f"medic-{i:03}")
    async with asyncio.timeout(30):
        await asyncio.gather(*(node.report() for node in nodes * 8))
    rows = await one.pool.fetch("select medic_id from alert where holds is not null")
    held = Counter(row["medic_id"] for row in rows)
    assert max(held.values()) == 1
    assert len(held) == 48
