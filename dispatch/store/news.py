"""News between nodes, numbered without gaps: what happened on one that no other table tells the others."""

import msgspec

from dispatch.store.statements import Database, statements

_SQL = statements("news")


CHANNEL = "dispatch"
"""What nodes LISTEN on."""


class Piece(msgspec.Struct, frozen=True):
    """``no`` from 1; ``node`` published it; ``body`` is JSON."""

    no: int
    node: str
    body: bytes


async def publish(db: Database, node_id: str, body: bytes) -> int:
    """Its number."""
    number: int = await db.fetchval(_SQL["publish"], node_id, body.decode())
    return number


async def since(db: Database, number: int, *, limit: int) -> list[Piece]:
    """What comes after ``number``, in order. The first is not ``number + 1`` where that is forgotten."""
    rows = await db.fetch(_SQL["since"], number, limit)
    return [Piece(row["no"], row["node"], row["body"].encode()) for row in rows]


async def notify(db: Database, payload: str) -> None:
    """Tells who listens."""
    await db.execute(_SQL["notify"], payload)


async def purge(db: Database) -> None:
    """Forgets what is older than a minute."""
    await db.execute(_SQL["purge"])
