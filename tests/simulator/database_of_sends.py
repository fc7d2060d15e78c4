"""The statements about what is sent once and what is taken once: notifications, keys, inbound SMS."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tests.simulator.database_append import lives
from tests.simulator.database_modelled import modelled
from tests.simulator.database_tables import InboundSms, Notification

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

Rows = Iterator[tuple[Any, ...]]

UNSETTLED = "incident_id n k channel purpose requested_at attempted_at"


@modelled("notifications", "attempt", "now_ms")
def attempt(
    database: "ModelDatabase", incident_id: str, n: int, k: int, by: str, at: int, unheard: Sequence[int]
) -> Rows:
    row = _hers(database, incident_id, n, k, by)
    if row is None or (row.attempted_at is not None and row.attempted_at not in unheard):
        return iter(())
    _changed(database, row._replace(attempted_at=at))
    return iter([(database.now_ms(),)])


@modelled("notifications", "take_back", "bool")
def take_back(database: "ModelDatabase", incident_id: str, n: int, k: int, by: str, at: int) -> Rows:
    row = _hers(database, incident_id, n, k, by)
    if row is None or row.attempted_at not in (None, at):
        return iter(())
    return _changed(database, row._replace(attempted_at=None))


@modelled("notifications", "take_over", UNSETTLED)
def take_over(database: "ModelDatabase", by: str, limit: int) -> Rows:
    tables = database.tables
    left = [row for row in _pending(database) if not lives(database, row.node)]
    left = [row for row in left if not database.locked("notification", row[:3])]
    left.sort(key=lambda row: row.requested_at)
    for row in left[:limit]:
        tables.put(tables.notification, row[:3], row._replace(node=by))
    return iter([_unsettled(row) for row in left[:limit]])


@modelled("notifications", "held", UNSETTLED)
def held(database: "ModelDatabase", by: str) -> Rows:
    rows = [row for row in _pending(database) if row.node == by]
    return map(_unsettled, sorted(rows, key=lambda row: row.requested_at))


@modelled("notifications", "attempts", UNSETTLED)
def attempts(database: "ModelDatabase", incident_id: str) -> Rows:
    rows = [row for row in _pending(database) if row.incident_id == incident_id]
    return map(_unsettled, sorted(rows, key=lambda row: row[:3]))


def _pending(database: "ModelDatabase") -> list[Notification]:
    tables = database.tables
    return [tables.notification[key] for key in tables.notification_pending]


def _hers(database: "ModelDatabase", incident_id: str, n: int, k: int, by: str) -> Notification | None:
    """The notification, where it has no outcome and is this node's, and the node lives."""
    row = database.tables.notification.get((incident_id, n, k))
    hers = row is not None and row.state == "requested" and row.node == by and lives(database, by)
    return row if hers else None


def _changed(database: "ModelDatabase", row: Notification) -> Rows:
    database.tables.put(database.tables.notification, row[:3], row)
    return iter([(True,)])


def _unsettled(row: Notification) -> tuple[Any, ...]:
    return row.incident_id, row.n, row.k, row.channel, row.purpose, row.requested_at, row.attempted_at


# --- what a repeat must not do twice


@modelled("idempotency", "find", "control_room_id key request_hash subject created_at")
def find(database: "ModelDatabase", room_id: str, key: str, since: int) -> Rows:
    row = database.tables.idempotency.get((room_id, key))
    if row is not None and row.created_at >= since:
        yield row[:5]


@modelled("idempotency", "purge")
def purge(database: "ModelDatabase", before: int) -> Rows:
    tables = database.tables
    for key in [key for key, row in tables.idempotency.items() if row.created_at < before]:
        tables.drop(tables.idempotency, key)
    return iter(())


@modelled("inbound", "first_time", "bool")
def first_time(database: "ModelDatabase", provider_id: str, at: int) -> Rows:
    tables = database.tables
    if provider_id in tables.inbound_sms:
        return iter(())
    tables.put(tables.inbound_sms, provider_id, InboundSms(provider_id, at))
    return iter([(True,)])


@modelled("inbound", "known", "bool")
def known(database: "ModelDatabase", provider_id: str) -> Rows:
    if provider_id in database.tables.inbound_sms:
        yield (True,)


@modelled("inbound", "purge")
def purge_inbound(database: "ModelDatabase", before: int) -> Rows:
    tables = database.tables
    for key in [key for key, row in tables.inbound_sms.items() if row.received_at < before]:
        tables.drop(tables.inbound_sms, key)
    return iter(())
