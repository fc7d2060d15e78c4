"""The function ``append`` of the schema, step by step as there, its refusals in the same order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.simulator import database_errors as errors
from tests.simulator.database_tables import (
    Alert,
    Decision,
    DecisionInput,
    Idempotency,
    Incident,
    IncidentDetails,
    Notification,
    Tables,
)

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

DAY_MS = 24 * 3600 * 1000
INCIDENT_KEY = "incident_pkey"
CLAIM_RULE = "alert_one_claim_a_medic"

Rows = Sequence[tuple[Any, ...]]


def append(
    database: "ModelDatabase",
    rooms: Rows,
    streams: Rows,
    new_details: Rows,
    new_inputs: Rows,
    new_alerts: Rows,
    new_holds: Rows,
    new_notifications: Rows,
    new_outcomes: Rows,
    new_keys: Rows,
    told: Sequence[str],
    writer: str,
) -> list[tuple[list[int]]]:
    """One row: each room's feed position before the append."""
    tables = database.tables
    before = [_move_feed(tables, room_id, count) for room_id, count, _ in rooms]
    if not lives(database, writer):
        raise errors.error("DP005", "node fenced", detail=writer)
    for key in new_keys:
        _keep_key(tables, Idempotency(*key))
    if streams:
        room_ids = [room[0] for room in rooms]
        placed = [(room_ids[stream[1] - 1], before[stream[1] - 1] + stream[2], stream) for stream in streams]
        _write_incidents(tables, placed, told, writer)
        decisions = [_write_decision(tables, *one) for one in placed]
        for row in new_inputs:
            _write_input(tables, DecisionInput(*row))
        for row in new_details:
            _write_details(tables, *row)
        _write_holds(tables, new_holds)
        for row in sorted(new_alerts, key=lambda row: row[2]):
            _add_alert(tables, Alert(*row))
        for row in new_notifications:
            _add_notification(tables, Notification(*row, writer))
        for row in new_outcomes:
            _settle(tables, *row)
        database.appended(decisions)
    return [(before,)]


def lives(database: "ModelDatabase", node_id: str | None) -> bool:
    """Whether a node's lease lasts, by the database's clock."""
    node = database.tables.node.get(node_id or "")
    return node is not None and node.lease_until > database.now_ms()


def _move_feed(tables: Tables, room_id: str, count: int) -> int:
    room = tables.control_room.get(room_id)
    if room is None:
        raise errors.error("DP004", "no control room", detail=room_id)
    tables.put(tables.control_room, room_id, room._replace(feed_pos=room.feed_pos + count))
    return room.feed_pos


def _keep_key(tables: Tables, row: Idempotency) -> None:
    old = tables.idempotency.get((row.control_room_id, row.key))
    if old is not None and old.created_at >= row.created_at - DAY_MS:
        raise errors.error("DP002", "idempotency key taken")
    tables.put(tables.idempotency, (row.control_room_id, row.key), row)


def _write_incidents(
    tables: Tables, placed: Sequence[tuple[str, int, tuple[Any, ...]]], told: Sequence[str], writer: str
) -> None:
    """New ones, then those that go on; of these, the first stream that does not fit is the culprit."""
    opened = [_open(tables, *one, one[2][0] not in told, writer) for one in placed if one[2][3] == 1]
    for room_id, feed_pos, stream in placed:
        if stream[3] > 1 and not _go_on(tables, room_id, feed_pos, stream, stream[0] not in told, writer):
            raise errors.error("DP001", "another decision was first", detail=stream[0])
    for incident in opened:
        _refuse_used_reference(tables, incident)


def _open(
    tables: Tables, room_id: str, feed_pos: int, stream: tuple[Any, ...], untold: bool, writer: str
) -> Incident:
    incident_id, _, _, _, count, _, _, _, reference, kind, priority, drill, state, policy, *times = stream
    if incident_id in tables.incident:
        raise errors.unique(INCIDENT_KEY)
    opened_at, ended_at, due_at, owed = times
    incident = Incident(
        incident_id,
        room_id,
        reference,
        kind,
        priority,
        drill,
        state,
        policy,
        count,
        opened_at,
        ended_at,
        due_at,
        owed,
        feed_pos,
        writer,
        untold,
    )
    _put_incident(tables, incident)
    if policy not in tables.policy:
        raise errors.not_null("incident", "policy")
    tables.add_to(tables.incident_reference, (room_id, reference), incident_id)
    return incident


def _go_on(
    tables: Tables, room_id: str, feed_pos: int, stream: tuple[Any, ...], untold: bool, writer: str
) -> bool:
    incident_id, _, _, seq, count, _, _, _, _, kind, priority, _, state, policy, *times = stream
    old = tables.incident.get(incident_id)
    if old is None or old.seq != seq - 1 or old.control_room_id != room_id:
        return False
    if policy != old.policy and policy not in tables.policy:
        raise errors.not_null("incident", "policy")
    incident = Incident(
        incident_id,
        room_id,
        old.reference,
        kind,
        priority,
        old.drill,
        state,
        policy,
        seq + count - 1,
        old.opened_at,
        *times[1:],
        feed_pos,
        writer,
        untold,
    )
    _put_incident(tables, incident)
    return True


def _put_incident(tables: Tables, incident: Incident) -> None:
    tables.put(tables.incident, incident.id, incident)
    if not incident.owed:
        tables.drop(tables.incident_owed, incident.id)
    elif incident.id not in tables.incident_owed:
        tables.put(tables.incident_owed, incident.id, True)


def _refuse_used_reference(tables: Tables, incident: Incident) -> None:
    others = [
        tables.incident[other]
        for other in tables.incident_reference[incident.control_room_id, incident.reference]
        if other != incident.id
    ]
    used = [other for other in others if other.opened_at > incident.opened_at - DAY_MS]
    if used:
        first = min(used, key=lambda other: other.opened_at)
        raise errors.error("DP003", "reference in use", detail=first.id)


def _write_decision(tables: Tables, room_id: str, feed_pos: int, stream: tuple[Any, ...]) -> Decision:
    incident_id, _, _, seq, count, append_id, schema_version, events = stream[:8]
    decision = Decision(incident_id, seq, count, room_id, feed_pos, append_id, schema_version, events)
    if (incident_id, seq) in tables.decision:
        raise errors.unique("decision_pkey")
    tables.put(tables.decision, (incident_id, seq), decision)
    tables.add_to(tables.decisions_of, incident_id, seq)
    tables.put(tables.decision_feed, (room_id, feed_pos), (incident_id, seq))
    return decision


def _write_input(tables: Tables, row: DecisionInput) -> None:
    tables.put(tables.decision_input, (row.incident_id, row.seq), row)


def _write_details(
    tables: Tables, incident_id: str, lat: float, lon: float, accuracy_m: float | None, *rest: Any
) -> None:
    *texts, _ = rest
    accuracy_m = None if accuracy_m is None else float(accuracy_m)
    row = IncidentDetails(incident_id, float(lat), float(lon), accuracy_m, *texts)
    tables.put(tables.incident_details, incident_id, row)


def _write_holds(tables: Tables, holds: Rows) -> None:
    """Ends before beginnings."""
    for incident_id, n, held in holds:
        alert = tables.alert.get((incident_id, n))
        if held is None and alert is not None and alert.holds is not None:
            tables.put(tables.alert, (incident_id, n), alert._replace(holds=None))
            if claims(alert):
                tables.drop(tables.claim, alert.medic_id)
    for incident_id, n, held in holds:
        alert = tables.alert.get((incident_id, n))
        if held is not None and alert is not None:
            changed = alert._replace(holds=held)
            _claim(tables, changed)
            tables.put(tables.alert, (incident_id, n), changed)


def claims(alert: Alert) -> bool:
    """Whether it is the one alert that its medic may hold."""
    return alert.holds is not None and not alert.drill and alert.medic_id is not None


def _claim(tables: Tables, alert: Alert) -> None:
    if not claims(alert):
        return
    assert alert.medic_id is not None
    here = (alert.incident_id, alert.n)
    held = tables.claim.get(alert.medic_id)
    if held is None:
        tables.put(tables.claim, alert.medic_id, here)
    elif held != here:
        raise errors.unique(CLAIM_RULE)


def _add_alert(tables: Tables, alert: Alert) -> None:
    key = (alert.incident_id, alert.n)
    if key in tables.alert:
        raise errors.unique("alert_pkey")
    _claim(tables, alert)
    tables.put(tables.alert, key, alert)
    tables.add_to(tables.alerts_of, alert.incident_id, alert.n)
    if alert.medic_id is not None:
        tables.add_to(tables.alerts_of_medic, alert.medic_id, key)


def _add_notification(tables: Tables, row: Notification) -> None:
    key = (row.incident_id, row.n, row.k)
    if key in tables.notification:
        raise errors.unique("notification_pkey")
    tables.put(tables.notification, key, row)
    if row.state == "requested":
        tables.put(tables.notification_pending, key, True)


def _settle(tables: Tables, incident_id: str, n: int, k: int, state: str, provider_id: str | None) -> None:
    key = (incident_id, n, k)
    row = tables.notification.get(key)
    if row is None:
        return
    provider_id = provider_id if provider_id is not None else row.provider_id
    tables.put(tables.notification, key, row._replace(state=state, provider_id=provider_id))
    if state != "requested":
        tables.drop(tables.notification_pending, key)
    elif key not in tables.notification_pending:
        tables.put(tables.notification_pending, key, True)
