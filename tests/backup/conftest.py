"""Databases to restore into, and a node to make something worth keeping."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from dispatch.store.database import connect_pool
from tests.conftest import with_database
from tests.dispatcher.town import Town

StartTown = Callable[..., Awaitable[Town]]


@pytest.fixture
async def start_town(database_url: str) -> AsyncIterator[StartTown]:
    """Starts a node on this test's database; stopped at the end."""
    running: list[Town] = []

    async def start(dsn: str = database_url, **settings: Any) -> Town:
        running.append(await Town(dsn, **settings).start())
        return running[-1]

    yield start
    for town in reversed(running):
        await town.stop()


@pytest.fixture
async def empty_database(postgres_server: str) -> AsyncIterator[str]:
    """The DSN of a database without tables."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"create database {name} template template0")
    yield with_database(postgres_server, name)
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def restored(empty_database: str) -> AsyncIterator[Callable[[], Awaitable[asyncpg.Pool]]]:
    """A pool on the database that was restored into."""
    pools: list[asyncpg.Pool] = []

    async def connect() -> asyncpg.Pool:
        pools.append(await connect_pool(empty_database, min_size=1, max_size=4))
        return pools[-1]

    yield connect
    for pool in pools:
        await pool.close()
