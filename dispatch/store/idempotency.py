"""Idempotency keys: what a control room's POST with this key was answered with.

The appender writes those of decisions.
"""

from dispatch.store.appends import KeyTaken, Remembered
from dispatch.store.statements import Database, statements

KEPT_MS = 24 * 3600 * 1000

_SQL = statements("idempotency")


async def find(db: Database, control_room_id: str, key: str, *, at: int) -> Remembered | None:
    """What the key was used for within the 24 h before ``at``."""
    row = await db.fetchrow(_SQL["find"], control_room_id, key, at - KEPT_MS)
    return None if row is None else Remembered(*row.values())


async def remember(db: Database, key: Remembered) -> None:
    """In the transaction of what it is used for. Raises KeyTaken where it was used within 24 h."""
    row = (key.control_room_id, key.key, key.request_hash, key.subject, key.at)
    if await db.fetchval(_SQL["remember"], *row) is None:
        raise KeyTaken


async def purge(db: Database, *, at: int) -> None:
    """Forgets the keys used more than 24 h before ``at``."""
    await db.execute(_SQL["purge"], at - KEPT_MS)
