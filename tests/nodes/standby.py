"""A standby that lags behind: what it had received is all that there is once it is promoted.

Unrealistic: it is the same server, so no connection is lost; only what nodes ask about it says otherwise.
"""

from collections.abc import Callable

import asyncpg
import pytest
from msgspec.structs import replace

from dispatch.service import following
from dispatch.store import nodes

TABLES = (
    "control_room",
    "policy",
    "roster",
    "medic",
    "incident",
    "decision",
    "decision_input",
    "incident_details",
    "alert",
    "notification",
)


class Standby:
    """``promote_told``: what has every node see another server."""

    def __init__(self, pool: asyncpg.Pool, promote_told: Callable[[], None]) -> None:
        self._pool, self._promote_told = pool, promote_told

    async def receives_all(self) -> None:
        """Up to here, and nothing more."""
        for table in TABLES:
            await self._pool.execute(f"create table received_{table} as table {table}")

    async def is_promoted(self) -> None:
        await self.has_the_last_say()
        self._promote_told()

    async def has_the_last_say(self) -> None:
        """As promoted, and no node has looked yet."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("set local session_replication_role = replica")  # no references
            for table in TABLES:
                await connection.execute(f"delete from {table}")
                await connection.execute(f"insert into {table} select * from received_{table}")


@pytest.fixture
def promote(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the next look on the database is on another server."""
    servers = ["old"]

    async def look(db: asyncpg.Pool) -> nodes.Look:
        return replace(await real(db), server=servers[-1])

    async def history(_: asyncpg.Pool) -> str:
        return servers[-1]

    real = nodes.look
    monkeypatch.setattr(following.nodes, "look", look)
    monkeypatch.setattr(following.nodes, "history", history)
    return lambda: servers.append("promoted")


@pytest.fixture
def standby(pool: asyncpg.Pool, promote: Callable[[], None]) -> Standby:
    return Standby(pool, promote)
