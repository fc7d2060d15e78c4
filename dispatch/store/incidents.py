"""Incidents as they were written: replayed from their events, with the rows beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.core.lifecycle import INCIDENT_LIVES
from dispatch.core.policy import Policy
from dispatch.records import Asked, Details, Position, Record
from dispatch.store.feed import Written, decode_events, written_in
from dispatch.store.statements import Database, statements

_SQL = statements("incidents")
BEFORE_ALL = (1 << 62, "")
"""The position in the list of incidents, newest first, at which it begins."""
_decode_policy = msgspec.json.Decoder(Policy).decode


class Page(msgspec.Struct, frozen=True):
    """``next_cursor`` None: there is no more."""

    items: list[Record]
    next_cursor: str | None


async def load(db: Database, incident_id: str) -> Record | None:
    """The incident, or None. An alert whose medic was deleted has no ``Asked``."""
    records = await load_many(db, [incident_id])
    return records[0] if records else None


async def load_many(db: Database, incident_ids: Sequence[str]) -> list[Record]:
    """Those of the incidents that there are, in the order asked for."""
    return await load_since(db, incident_ids, {})


async def load_since(db: Database, incident_ids: Sequence[str], known: Mapping[str, Record]) -> list[Record]:
    """As ``load_many``; of those that are ``known`` by id only the events since are read and replayed.

    One whose events do not go on from what was known of it, without a gap, is read whole.
    """
    seqs = [known[one].state.seq if one in known else 0 for one in incident_ids]
    rows = await db.fetch(_SQL["load"], incident_ids, seqs)
    found: dict[str, Record] = {}
    broken: list[str] = []
    for row in rows:
        state = _state(row, known.get(row["id"]))
        if state is not None:
            found[row["id"]] = _record(row, state)
        else:
            broken.append(row["id"])
    if broken:
        found |= {record.id: record for record in await load_many(db, broken)}
    return [found[incident_id] for incident_id in incident_ids if incident_id in found]


async def owed(db: Database) -> list[str]:
    """The ids of incidents with a tick due some time, or a notification without an outcome."""
    return [row["id"] for row in await db.fetch(_SQL["owed"])]


async def take_over(db: Database, node_id: str, limit: int) -> list[str]:
    """Those of them whose node is dead, or that never had one, are ``node_id``'s now; their ids.

    Of two nodes that do so at once, each takes others.
    """
    return [row["id"] for row in await db.fetch(_SQL["take_over"], node_id, limit)]


async def had_by(db: Database, node_id: str) -> list[str]:
    """Those of them that are ``node_id``'s: where the reply to ``take_over`` was lost, it does not know."""
    return [row["id"] for row in await db.fetch(_SQL["had_by"], node_id)]


async def untold(db: Database, since: int) -> list[str]:
    """The ids of incidents that ended then or later, the last to end first, of which a device has not heard.

    It may come back for its stand-down. Those that are ``owed`` are left out.
    """
    return [row["id"] for row in await db.fetch(_SQL["untold"], since)]


async def list_page(
    db: Database,
    control_room_id: str,
    *,
    limit: int,
    states: Sequence[str] | None = None,
    reference: str | None = None,
    cursor: str | None = None,
) -> Page:
    """Newest first, from ``cursor`` on. Raises ValueError for a cursor that is none of ours."""
    before = _position_of(cursor) if cursor is not None else BEFORE_ALL
    asked = (control_room_id, states, *before, limit + 1)
    if reference is not None:
        rows = await db.fetch(_SQL["newest_of_reference"], *asked, reference)
    elif states is not None and set(states) <= set(INCIDENT_LIVES):
        rows = await db.fetch(_SQL["newest_live"], *asked)
    else:
        rows = await db.fetch(_SQL["newest"], *asked)
    page = rows[:limit]
    items = await load_many(db, [row["id"] for row in page])
    more = len(rows) > limit
    return Page(items, f"{page[-1]['opened_at']}.{page[-1]['id']}" if more else None)


def _position_of(cursor: str) -> tuple[int, str]:
    opened_at, dot, incident_id = cursor.partition(".")
    if not (dot and opened_at.isascii() and opened_at.isdecimal() and len(opened_at) < 16):
        raise ValueError("not a cursor")
    return int(opened_at), incident_id


async def reference_used_since(db: Database, control_room_id: str, reference: str, since: int) -> str | None:
    """The incident that the control room opened with ``reference`` at ``since`` ms or later."""
    found: str | None = await db.fetchval(_SQL["reference_used_since"], control_room_id, reference, since)
    return found


async def events_of(db: Database, incident_id: str) -> list[Written]:
    """The audit trail, in order; empty where there is no such incident."""
    return list(written_in(await db.fetch(_SQL["events_of"], incident_id)))


async def inputs_of(db: Database, incident_id: str) -> dict[int, bytes]:
    """The decision inputs kept (JSON), by the seq of each decision's first event."""
    return {row["seq"]: row["body"].encode() for row in await db.fetch(_SQL["inputs_of"], incident_id)}


def _state(row: Any, known: Record | None) -> Incident | None:
    """The state that the row's events lead to; None where they do not follow what was known of it."""
    events = [event for decision in row["events"] or () for event in decode_events(decision)]
    if known is None:
        return evolve_all(None, events)
    if known.state.seq + len(events) != row["seq"]:
        return None
    if not events:
        return known.state if known.feed_pos == row["feed_pos"] else None
    try:
        return evolve_all(known.state, events)
    except (ValueError, LookupError):
        return None


def _record(row: Any, state: Incident) -> Record:
    return Record(
        id=row["id"],
        control_room_id=row["control_room_id"],
        state=state,
        details=_details(row),
        policy=_decode_policy(row["policy"]),
        asked=_asked(row),
        feed_pos=row["feed_pos"],
        due_at=row["due_at"],
        node=row["node"],
    )


def _details(row: Any) -> Details | None:
    if row["lat"] is None:
        return None
    position = Position(row["lat"], row["lon"], row["accuracy_m"])
    return Details(position, row["address"], row["directions"], row["details"])


def _asked(row: Any) -> tuple[Asked, ...]:
    columns = (row[name] or () for name in ("n", "medic_id", "distance_m", "digit_pair"))
    return tuple(Asked(*fields) for fields in zip(*columns, strict=True) if fields[1] is not None)
