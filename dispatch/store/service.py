"""Whether the service is to send at all: paused by a restore, until an operator has looked."""

from dispatch.store.statements import Database, statements

_SQL = statements("service")


async def pause(db: Database) -> None:
    """Nodes send nothing any more, within a second."""
    await db.execute(_SQL["pause"])


async def paused_at(db: Database) -> int | None:
    """Since when (ms) the service sends nothing; None: it sends."""
    found: int | None = await db.fetchval(_SQL["paused_at"])
    return found


async def resume(db: Database) -> bool:
    """Nodes send again, within a second. False: they did already."""
    return await db.fetchval(_SQL["resume"]) is not None
