"""Appends wait in order, but what is urgent goes before answers and receipts, and is told of first."""

import asyncio

from made import opening

from dispatch.store import appender as module
from dispatch.store import told


async def test_urgent_appends_overtake_those_that_wait(db, appender, monkeypatch):
    monkeypatch.setattr(module, "APPENDS_A_BATCH_MAX", 1)
    async with db.acquire() as other, other.transaction():
        await other.execute("lock table incident in access exclusive mode")
        in_flight = asyncio.create_task(appender.append(opening("i0"), urgent=False))
        while appender.waiting or in_flight.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        later = [
            asyncio.create_task(appender.append(opening(name), urgent=name.startswith("urgent")))
            for name in ("answer1", "answer2", "urgent1", "urgent2")
        ]
        await asyncio.sleep(0)
        assert appender.waiting == 4
    positions = {name: pos for one in (in_flight, *later) for name, pos in (await one).items()}
    assert sorted(positions, key=positions.__getitem__) == ["i0", "urgent1", "urgent2", "answer1", "answer2"]


async def test_of_a_commit_the_urgent_is_told_at_once_and_the_rest_a_few_a_round(db, appender, monkeypatch):
    """In a round of the loop in which sixteen decisions are reacted to no report is read."""
    monkeypatch.setattr(told, "A_ROUND", 2)
    rounds, told_in = 0, {}

    async def append(name):
        await appender.append(opening(name), urgent=name == "urgent")
        told_in[name] = rounds

    async with db.acquire() as other, other.transaction():
        await other.execute("lock table incident in access exclusive mode")
        in_flight = asyncio.create_task(append("i0"))
        await asyncio.sleep(0.05)
        later = [asyncio.create_task(append(name)) for name in (*"abcde", "urgent")]
        await asyncio.sleep(0)
        assert appender.waiting == 6
    await in_flight
    while len(told_in) < 7:
        await asyncio.sleep(0)
        rounds += 1
    first = told_in["urgent"]
    assert [told_in[name] - first for name in "abcde"] == [1, 1, 2, 2, 3]
    await asyncio.gather(*later)
