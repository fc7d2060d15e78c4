"""Where medics are, as far as a restart must remember it."""

from collections.abc import Iterable

import asyncpg

from dispatch.records import Fix
from dispatch.store.statements import Database, statements

_SQL = statements("positions")


async def save(db: Database, fixes: Iterable[Fix]) -> None:
    """Each medic's newest fix wins, whatever order they come in; those of deleted medics are dropped."""
    newest: dict[str, Fix] = {}
    for fix in fixes:
        known = newest.get(fix.medic_id)
        if known is None or known.at < fix.at:
            newest[fix.medic_id] = fix
    columns = [
        [getattr(fix, field) for fix in newest.values()]
        for field in ("medic_id", "lat", "lon", "accuracy_m", "at")
    ]
    try:
        await db.execute(_SQL["save"], *columns)
    except asyncpg.ForeignKeyViolationError:  # one was deleted in between; now she is seen to be gone
        await db.execute(_SQL["save"], *columns)
