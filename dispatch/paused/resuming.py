"""What `dispatch db resume` does: reads what is owed; closes what is too old, and lets the service go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from dispatch.clock import Clock
from dispatch.ids import new_id
from dispatch.nodes.membership import Membership
from dispatch.paused.resumption import Owed, before_going_on, decided, owed, too_old
from dispatch.records import Record
from dispatch.store import incidents, service
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, Conflict, SeqConflict, Stream, Unavailable
from dispatch.store.database import DatabaseRefused
from dispatch.tasks import Tasks

LOADED_AT_ONCE = 100
CONFLICTS_MAX = 20


async def preview(pool: asyncpg.Pool, older_than_s: int | None) -> list[Owed]:
    """What would be sent, oldest incident first."""
    at = (await Clock.synchronised(pool)).now_ms()
    found = [
        owed(record, at, close=too_old(record, at, older_than_s)) async for record in _to_go_on_with(pool)
    ]
    return sorted((one for one in found if one is not None), key=lambda one: (one.opened_at, one.incident_id))


async def resume(pool: asyncpg.Pool, older_than_s: int | None) -> None:
    """Holds what nobody has held yet, closes what is too old, then lets all nodes go on within a second.

    Raises DatabaseRefused where that could not be written: the service is still paused.
    """
    clock = await Clock.synchronised(pool)
    try:
        async with _writing(pool) as appender:
            async for record in _to_go_on_with(pool):
                at = clock.now_ms()
                await _prepare(pool, appender, record, at, close=too_old(record, at, older_than_s))
    except (Conflict, Unavailable) as error:
        what = f"still paused: not all incidents could be held or closed ({error or type(error).__name__})"
        raise DatabaseRefused(what, "Try again.") from error
    await service.resume(pool)


async def _to_go_on_with(pool: asyncpg.Pool) -> AsyncIterator[Record]:
    ids = await incidents.owed(pool)
    for at in range(0, len(ids), LOADED_AT_ONCE):
        for record in await incidents.load_many(pool, ids[at : at + LOADED_AT_ONCE]):
            yield record


@asynccontextmanager
async def _writing(pool: asyncpg.Pool) -> AsyncIterator[Appender]:
    """Decisions are written as a node of its own, which serves nobody."""
    membership = Membership(pool, f"resume {new_id()}")
    await membership.join()
    tasks = Tasks()
    tasks.spawn(membership.run())
    appender = Appender(pool, membership)
    await appender.start()
    try:
        yield appender
    finally:
        await appender.close()
        await tasks.cancel()
        await membership.leave()


async def _prepare(pool: asyncpg.Pool, appender: Appender, record: Record, at: int, *, close: bool) -> None:
    """As decided on the incident as it is by now: nodes may hold, and medics answer, meanwhile."""
    for _ in range(CONFLICTS_MAX):
        happened, last = decided(record, before_going_on(record, at, close=close and record.state.live))
        if last is None or not happened:
            return
        stream = Stream(
            incident_id=record.id,
            control_room_id=record.control_room_id,
            events=happened,
            state=last.state,
            due_at=last.due_at,
        )
        try:
            await appender.append(Append(streams=(stream,)))
            return
        except SeqConflict:
            (record,) = await incidents.load_many(pool, [record.id])
    raise SeqConflict(record.id)
