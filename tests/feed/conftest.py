"""Many control rooms in a fresh database, and nodes that write their events, each over a pool of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from dispatch.store import policies
from dispatch.store.appender import Appender
from dispatch.store.database import connect_pool
from tests.api.conftest import make_world  # noqa: F401
from tests.feed.writing import POLICY, ROOMS
from tests.joined import joined
from tests.service.conftest import serving  # noqa: F401

MakeNode = Callable[[str], Awaitable[Appender]]


@pytest.fixture
async def db(pool: asyncpg.Pool) -> asyncpg.Pool:
    await pool.executemany("insert into control_room (id, name) values ($1, $1)", [(room,) for room in ROOMS])
    await policies.keep(pool, [POLICY])
    return pool


@pytest.fixture
async def node(db: asyncpg.Pool, database_url: str) -> AsyncIterator[MakeNode]:
    """Makes the appender of a node that lives as long as the test."""
    made: list[tuple[Appender, asyncpg.Pool]] = []

    async def make(node_id: str) -> Appender:
        pool = await connect_pool(database_url, min_size=1, max_size=3)
        appender = Appender(pool, await joined(db, node_id))
        await appender.start()
        made.append((appender, pool))
        return appender

    yield make
    for appender, pool in made:
        await appender.close()
        await pool.close()
