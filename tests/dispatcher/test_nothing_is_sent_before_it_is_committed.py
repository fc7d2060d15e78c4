"""Nothing is sent before it is committed, and nothing is acknowledged before it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import itemgetter

import asyncpg
import pytest
from town import Town, some_medics, states

from dispatch.deciding.plan import Part
from dispatch.store.appends import ReferenceTaken


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


async def test_what_medics_are_told_is_made_while_the_commit_is_under_way(town):
    devices = await town.add(some_medics(3))
    async with commits_held_back(town), town.pool.acquire() as other:
        report = asyncio.create_task(town.report())
        await an_append_waits(town, other)
        (live,) = town.dispatcher.decisions.lives()
        made = [json.loads(framed.text) for framed in live.ready.values()]
    record = await report
    told = [frame for device in devices for frame in device.of("alert")]
    assert sorted(made, key=itemgetter("id")) == sorted(told, key=itemgetter("id"))
    assert [frame["alert_id"] for frame in made] == [f"{record.id}-{n}" for n in (1, 2, 3)]
    assert not live.ready


async def test_what_was_made_for_a_commit_that_is_refused_is_not_sent(town, monkeypatch):
    devices = await town.add(some_medics(3))
    first = await town.report()
    await town.answer(first, 1, "accept")  # the other two are free again
    await town.quiet()
    before = [device.frames.copy() for device in devices]
    prepare, made = town.dispatcher.outgoing.prepare, []

    def watched(part: Part) -> None:
        prepare(part)
        made.append((part.live, dict(part.live.ready)))

    monkeypatch.setattr(town.dispatcher.outgoing, "prepare", watched)
    with pytest.raises(ReferenceTaken):
        await town.report(reference=first.state.reference)
    await town.quiet()
    assert [device.frames for device in devices] == before
    ((live, ready),) = made
    assert len(ready) == 2
    assert not live.ready


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
