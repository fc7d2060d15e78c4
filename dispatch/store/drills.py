"""The watchdog's drills, which are not kept: some 480 a day and node."""

from dispatch.store.statements import Database, statements

_SQL = statements("drills")


async def purge(db: Database, room: str, *, before: int) -> int:
    """Deletes the control room's incidents that ended before then (ms), events and all; how many.

    From the front of its feed only, and only up to where no kept incident has begun: what is left of the
    feed is without gaps.
    """
    deleted: int = await db.fetchval(_SQL["purge"], room, before)
    return deleted
