"""Alerts as rows: what a medic was asked, for her own devices and her SMS answers."""

import msgspec

from dispatch.store.statements import Database, statements

_SQL = statements("alerts")


class MedicAlert(msgspec.Struct, frozen=True):
    """One of a medic's alerts. ``holds``: ``open``, ``engaged``, or None once it has ended."""

    incident_id: str
    n: int
    digit_pair: int
    holds: str | None
    drill: bool
    incident_state: str
    opened_at: int


async def of_medic(db: Database, medic_id: str, *, ended_since: int) -> list[MedicAlert]:
    """Her alerts of incidents that are live or ended at ``ended_since`` or later, newest first."""
    return [MedicAlert(*row.values()) for row in await db.fetch(_SQL["of_medic"], medic_id, ended_since)]


async def digit_pairs(db: Database, *, since: int) -> dict[str, int]:
    """By medic the digit pair of her newest alert, of those whose incidents were opened since then."""
    return {row["medic_id"]: row["digit_pair"] for row in await db.fetch(_SQL["digit_pairs"], since)}
