"""What is done now and then in the background, for as long as the service runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from dispatch import logs
from dispatch.auth import Keyring
from dispatch.roster.drill_devices import ROOM as WATCHDOG
from dispatch.store import drills, enrolments, idempotency, inbound, keys, news, nodes
from dispatch.tasks import Tasks

log = logs.logger(__name__)

KEYS_S = 1.0
PURGE_S = 3600.0
PURGE_NEWS_S = 60.0
DRILLS_KEPT_MS = 24 * 3600 * 1000


@asynccontextmanager
async def in_background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs works that never end by themselves, and cancels them at the end."""
    tasks = Tasks()
    for work in works:
        tasks.spawn(work)
    try:
        yield
    finally:
        await tasks.cancel()


async def every(wait_s: float, work: Callable[[], Awaitable[None]], what: str) -> None:
    """Does ``work`` again and again, until cancelled; a failure is logged, and tried again the next time."""
    while True:
        await asyncio.sleep(wait_s)
        try:
            await work()
        except Exception as error:
            log.warning(what, error=logs.describe(error))


async def read_keys(pool: asyncpg.Pool, keyring: Keyring) -> None:
    """A key made or revoked by a command counts here within a second or two."""
    keyring.put_all(await keys.good(pool))


async def purge(pool: asyncpg.Pool, now_ms: int) -> None:
    """What has served its time: idempotency keys, enrolment codes, ids of SMS that came in, old drills."""
    await idempotency.purge(pool, at=now_ms)
    await enrolments.purge(pool, at=now_ms)
    await inbound.purge(pool, at=now_ms)
    await nodes.purge(pool)
    await drills.purge(pool, WATCHDOG, before=now_ms - DRILLS_KEPT_MS)


async def purge_news(pool: asyncpg.Pool) -> None:
    """What every node that lives has seen by now."""
    await news.purge(pool)
