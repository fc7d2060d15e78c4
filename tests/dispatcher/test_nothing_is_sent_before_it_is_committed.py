"""Nothing is sent before it is committed, and nothing is acknowledged before it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from town import Town, some_medics, states


@asynccontextmanager
async def commits_held_back(town: Town) -> AsyncIterator[None]:
    """Another transaction holds the control room's row, which every append locks."""
    async with town.pool.acquire() as connection, connection.transaction():
        await connection.execute("select from control_room where id = $1 for update", town.room_id)
        yield


async def an_append_waits(town: Town, connection: asyncpg.Connection) -> None:
    """Until the database holds it back."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%append%'"
    for _ in range(2000):
        if await connection.fetchval(waiting):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("no append came")


async def test_a_report_rings_nobody_and_has_no_answer_before_its_commit(town):
    devices = await town.add(some_medics(3))
    async with commits_held_back(town), town.pool.acquire() as other:
        report = asyncio.create_task(town.report())
        await an_append_waits(town, other)
        await asyncio.sleep(0.05)
        assert not any(device.frames for device in devices)
        assert not report.done()
    await report
    assert all(device.frames for device in devices)


async def test_an_accept_has_no_answer_and_stands_nobody_down_before_its_commit(town):
    devices = await town.add(some_medics(3))
    record = await town.report()  # one is wanted
    await town.quiet()
    async with commits_held_back(town), town.pool.acquire() as other:
        accept = asyncio.create_task(town.answer(record, 1, "accept"))
        await an_append_waits(town, other)
        await asyncio.sleep(0.05)
        assert not accept.done()
        assert not any(device.of("stand_down") for device in devices)
        assert states(await town.now(record)) == ["sent", "sent", "sent"]
    assert await accept == "accepted"
    assert [bool(device.of("stand_down")) for device in devices] == [False, True, True]


async def test_a_caller_who_gave_up_leaves_the_report_going_on(town):
    devices = await town.add(some_medics(3))
    async with commits_held_back(town), town.pool.acquire() as other:
        report = asyncio.create_task(town.report())
        await an_append_waits(town, other)
        report.cancel()
    await town.quiet()
    assert all(device.frames for device in devices)
