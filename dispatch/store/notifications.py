"""Notifications over channels that can not tell a repeat: made at most once, by the node that has them.

The appender writes their rows and their outcomes; here stands what happens between the two.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from dispatch.core.events import Purpose
from dispatch.store.statements import Database, statements

_SQL = statements("notifications")


class Unsettled(msgspec.Struct, frozen=True):
    """A notification without an outcome. ``attempted_at`` (ms): the provider may have it, so ask first."""

    incident_id: str
    n: int
    k: int
    channel: str
    purpose: Purpose
    requested_at: int
    attempted_at: int | None


async def attempt(
    db: Database, incident_id: str, n: int, k: int, *, by: str, at: int, unheard: Sequence[int] = ()
) -> int | None:
    """Commits that node ``by`` calls the provider now. None: not its to send (any more), or tried before.

    ``at`` (ms) is when, to be asked about later; whether ``by`` lives is judged by the database's clock,
    whose time (ms) it gives. ``unheard``: attempts of its own of which it does not know whether they were
    committed; nobody was called.
    """
    there: int | None = await db.fetchval(_SQL["attempt"], incident_id, n, k, by, at, unheard)
    return there


async def take_back(db: Database, incident_id: str, n: int, k: int, *, by: str, at: int) -> bool:
    """The provider certainly did not take the attempt made ``at``: another may follow.

    False: not ``by``'s any more, or another attempt has followed, of which nothing is known yet.
    """
    return await db.fetchval(_SQL["take_back"], incident_id, n, k, by, at) is not None


async def take_over(db: Database, *, by: str, limit: int) -> list[Unsettled]:
    """What dead nodes, this one in a former life too, left behind is now ``by``'s; at most ``limit``."""
    return [_unsettled(row) for row in await db.fetch(_SQL["take_over"], by, limit)]


async def held(db: Database, *, by: str) -> list[Unsettled]:
    """What ``by`` has: where the reply to ``take_over`` was lost, it does not know."""
    return [_unsettled(row) for row in await db.fetch(_SQL["held"], by)]


async def unsettled(db: Database, incident_id: str) -> list[Unsettled]:
    """Those of one incident."""
    return [_unsettled(row) for row in await db.fetch(_SQL["attempts"], incident_id)]


def _unsettled(row: Any) -> Unsettled:
    return Unsettled(*row.values())
