"""Two control rooms with a policy in a fresh database, and the appender of one node."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from made import OTHER_ROOM, POLICY, ROOM

from dispatch.store import policies
from dispatch.store.appender import Appender
from tests.joined import joined


@pytest.fixture
async def db(pool: asyncpg.Pool) -> asyncpg.Pool:
    await pool.executemany("insert into control_room (id, name) values ($1, $1)", [(ROOM,), (OTHER_ROOM,)])
    await policies.keep(pool, [POLICY])
    return pool


@pytest.fixture
async def node(db: asyncpg.Pool) -> AsyncIterator[Callable[..., Awaitable[Appender]]]:
    """Makes an appender that writes; each is a node of its own."""
    appenders = []

    async def make(node_id: str = "node-a", pool: asyncpg.Pool = db, **settings: float) -> Appender:
        appender = Appender(pool, await joined(db, node_id), **settings)
        await appender.start()
        appenders.append(appender)
        return appender

    yield make
    for appender in appenders:
        await appender.close()


@pytest.fixture
async def appender(node: Callable[..., Awaitable[Appender]]) -> Appender:
    return await node()
