"""A node's life in the database, for tests that need no more of a node than that it may write."""

from typing import Any

import asyncpg

from dispatch.store import nodes

HOUR_MS = 3_600_000


class Member:
    """Lives until it is killed. Unrealistic: it never renews its lease, which is an hour long."""

    def __init__(self, node_id: str) -> None:
        self.id = node_id


async def joined(pool: asyncpg.Pool, node_id: str = "node-a") -> Member:
    """Its name is its id: joined again, its former life is over."""
    await nodes.join(pool, node_id, node_id, HOUR_MS)
    return Member(node_id)


async def lapse(pool: Any, node_id: str) -> None:
    """The node's lease has run out, as if it had been silent for long enough."""
    await pool.execute("update node set lease_until = now_ms() where id = $1 or name = $1", node_id)
