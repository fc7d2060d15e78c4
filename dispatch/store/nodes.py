"""Who lives: each life of a node has a row and a lease, measured by the database's clock alone."""

import asyncpg
import msgspec

from dispatch.store.statements import Database, statements

_SQL = statements("nodes")


class Look(msgspec.Struct, frozen=True):
    """How far everything is that a node follows, as of one moment.

    ``feed_positions`` by control room; ``change_no`` of medics, ``news_no`` of news; ``nodes`` the ids of
    those that live; ``paused_at`` (ms) since when the service sends nothing, None where it does; ``server``
    another one once it was started again, or is another.
    """

    feed_positions: dict[str, int]
    change_no: int
    news_no: int
    nodes: tuple[str, ...]
    paused_at: int | None
    server: str


async def join(db: Database, node_id: str, name: str, lease_ms: int) -> None:
    """A life begins. The former one of this name, if there is one, ends in the same commit."""
    await db.execute(_SQL["join"], node_id, name, lease_ms)


async def rejoin(db: Database, former_id: str, node_id: str, lease_ms: int) -> bool:
    """The life after ``former_id`` begins. False: its name is another's by now, or forgotten."""
    return await db.fetchval(_SQL["rejoin"], former_id, node_id, lease_ms) is not None


async def renew(db: Database, node_id: str, lease_ms: int) -> bool:
    """Puts the end of the lease off. False: it has ended, and this life with it."""
    return await db.fetchval(_SQL["renew"], node_id, lease_ms) is not None


async def leave(db: Database, node_id: str) -> None:
    """The node stops; others need not wait for its lease to run out."""
    await db.execute(_SQL["leave"], node_id)


async def look(db: Database) -> Look:
    row = await db.fetchrow(_SQL["look"])
    positions = dict(zip(row["rooms"] or (), row["feed_positions"] or (), strict=True))
    living = tuple(row["nodes"] or ())
    return Look(positions, row["change_no"], row["news_no"], living, row["paused_at"], row["server"])


async def history(db: Database) -> str | None:
    """Of which server's history the database is; None where that may not be asked.

    Raises ReadOnlySQLTransactionError where it is a standby still, and goes on with another's.
    """
    try:
        found: str | None = await db.fetchval(_SQL["history"])
    except asyncpg.PostgresError as error:
        if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError):
            raise
        return None
    if found is None:
        raise asyncpg.ReadOnlySQLTransactionError("the server is a standby")
    return found


async def purge(db: Database) -> None:
    """Forgets nodes that have been dead for a day."""
    await db.execute(_SQL["purge"])
