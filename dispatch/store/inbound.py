"""SMS that came in: a provider posts one again when it got no answer, and a forger may replay one."""

from dispatch.store.statements import Database, statements

KEPT_MS = 7 * 24 * 3600 * 1000

_SQL = statements("inbound")


async def first_time(db: Database, provider_id: str, *, at: int) -> bool:
    """Whether this one was never here before; now it was."""
    return await db.fetchval(_SQL["first_time"], provider_id, at) is not None


async def known(db: Database, provider_id: str) -> bool:
    """Whether this one was dealt with before."""
    return await db.fetchval(_SQL["known"], provider_id) is not None


async def purge(db: Database, *, at: int) -> None:
    """Forgets those that came in more than a week before ``at``; no provider posts one again after that."""
    await db.execute(_SQL["purge"], at - KEPT_MS)
