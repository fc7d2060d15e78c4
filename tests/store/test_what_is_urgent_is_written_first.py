"""Appends wait in order, but what is urgent goes before answers and receipts."""

import asyncio

from made import opening

from dispatch.store import appender as module


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
