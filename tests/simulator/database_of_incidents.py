"""The statements about incidents, their alerts and the feed."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from dispatch.clock import _NOW
from tests.simulator.database_append import append, lives
from tests.simulator.database_modelled import inline, modelled, nothing
from tests.simulator.database_tables import Alert, ControlRoom, Decision, Incident, Policy

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

Rows = Iterator[tuple[Any, ...]]

modelled("appender", "by_index")(nothing)
modelled("appender", "append", "append")(append)


@inline(_NOW, "int8")
def now(database: "ModelDatabase") -> Rows:
    yield (1000 * database.now_ms(),)


# --- control rooms and policies


@modelled("keys", "ensure_control_room", "id")
def ensure_control_room(database: "ModelDatabase", room_id: str, name: str) -> Rows:
    tables = database.tables
    found = tables.control_room_name.get(name)
    if found is None:
        found = room_id
        tables.put(tables.control_room, room_id, ControlRoom(room_id, name, 0))
        tables.put(tables.control_room_name, name, room_id)
    yield (found,)


@modelled("policies", "keep")
def keep_policies(database: "ModelDatabase", hashes: Sequence[str], bodies: Sequence[str]) -> Rows:
    tables = database.tables
    for key, body in zip(hashes, bodies, strict=True):
        if key not in tables.policy:
            tables.put(tables.policy, key, Policy(key, body))
    return iter(())


@modelled("policies", "get", "body")
def get_policy(database: "ModelDatabase", key: str) -> Rows:
    policy = database.tables.policy.get(key)
    if policy is not None:
        yield (policy.body,)


# --- what the appender asks


@modelled("appender", "find_streams", "append_id incident_id feed_pos")
def find_streams(database: "ModelDatabase", incident_ids: Sequence[str], append_ids: Sequence[int]) -> Rows:
    for incident_id, append_id in dict.fromkeys(zip(incident_ids, append_ids, strict=True)):
        for decision in _decisions_of(database, incident_id):
            if decision.append_id == append_id:
                yield append_id, incident_id, decision.feed_pos


@modelled("appender", "find_keys", "append_id")
def find_keys(
    database: "ModelDatabase", rooms: Sequence[str], keys: Sequence[str], append_ids: Sequence[int]
) -> Rows:
    for room_id, key, append_id in dict.fromkeys(zip(rooms, keys, append_ids, strict=True)):
        row = database.tables.idempotency.get((room_id, key))
        if row is not None and row.append_id == append_id:
            yield (append_id,)


@modelled("appender", "claims_of", "medic_id incident_id n priority drill engaged")
def claims_of(
    database: "ModelDatabase", medic_ids: Sequence[str], holds: Sequence[tuple[str, int, str | None]]
) -> Rows:
    tables = database.tables
    held = [tables.alert.get((incident_id, n)) for incident_id, n, _ in holds]
    hers = [alert.medic_id for alert in held if alert is not None and alert.medic_id is not None]
    for medic_id in dict.fromkeys([*medic_ids, *hers]):
        key = tables.claim.get(medic_id)
        if key is not None:
            alert = tables.alert[key]
            priority = tables.incident[alert.incident_id].priority
            yield medic_id, *key, priority, alert.drill, alert.holds == "engaged"


# --- incidents


@modelled(
    "incidents",
    "load",
    "id control_room_id seq feed_pos due_at node policy lat lon accuracy_m address directions details events"
    " n medic_id distance_m digit_pair",
)
def load(database: "ModelDatabase", incident_ids: Sequence[str], seqs: Sequence[int]) -> Rows:
    tables = database.tables
    for incident_id, seq in zip(incident_ids, seqs, strict=True):
        incident = tables.incident.get(incident_id)
        if incident is None:
            continue
        details = tables.incident_details.get(incident_id)
        events = [one.events for one in _decisions_of(database, incident_id) if one.seq > seq]
        alerts = [tables.alert[incident_id, n] for n in sorted(tables.alerts_of.get(incident_id, ()))]
        yield (
            incident_id,
            incident.control_room_id,
            incident.seq,
            incident.feed_pos,
            incident.due_at,
            incident.node,
            tables.policy[incident.policy].body,
            *(details[1:] if details is not None else (None,) * 6),
            events or None,
            *([alert[i] for alert in alerts] or None for i in (1, 2, 3, 4)),
        )


@modelled("incidents", "owed", "id")
def owed(database: "ModelDatabase") -> Rows:
    for incident_id in database.tables.incident_owed:
        yield (incident_id,)


@modelled("incidents", "take_over", "id")
def take_over(database: "ModelDatabase", node_id: str, limit: int) -> Rows:
    tables = database.tables
    incidents = [tables.incident[incident_id] for incident_id in tables.incident_owed]
    left = [incident for incident in incidents if not lives(database, incident.node)]
    left = [incident for incident in left if not database.locked("incident", incident.id)][:limit]
    for incident in left:
        tables.put(tables.incident, incident.id, incident._replace(node=node_id))
    return iter([(incident.id,) for incident in left])


@modelled("incidents", "had_by", "id")
def had_by(database: "ModelDatabase", node_id: str) -> Rows:
    tables = database.tables
    for incident_id in tables.incident_owed:
        if tables.incident[incident_id].node == node_id:
            yield (incident_id,)


@modelled("incidents", "untold", "id")
def untold(database: "ModelDatabase", since: int) -> Rows:
    found = [
        (incident.ended_at, incident.id)
        for incident in database.tables.incident.values()
        if incident.untold
        and not incident.owed
        and incident.ended_at is not None
        and incident.ended_at >= since
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    return iter([(incident_id,) for _, incident_id in found])


@modelled("incidents", "newest", "id opened_at")
def newest(
    database: "ModelDatabase",
    room_id: str,
    states: Sequence[str] | None,
    before: int,
    before_id: str,
    limit: int,
) -> Rows:
    found = [
        (incident.id, incident.opened_at)
        for incident in database.tables.incident.values()
        if incident.control_room_id == room_id
        and (states is None or incident.state in states)
        and (incident.opened_at, incident.id) < (before, before_id)
    ]
    found.sort(key=lambda row: (row[1], row[0]), reverse=True)
    return iter(found[:limit])


@modelled("incidents", "newest_live", "id opened_at")
def newest_live(
    database: "ModelDatabase", room_id: str, states: Sequence[str], before: int, before_id: str, limit: int
) -> Rows:
    tables = database.tables
    found = newest(database, room_id, states, before, before_id, len(tables.incident))
    return iter([row for row in found if tables.incident[row[0]].owed][:limit])


@modelled("incidents", "newest_of_reference", "id opened_at")
def newest_of_reference(
    database: "ModelDatabase",
    room_id: str,
    states: Sequence[str] | None,
    before: int,
    before_id: str,
    limit: int,
    reference: str,
) -> Rows:
    tables = database.tables
    found = newest(database, room_id, states, before, before_id, len(tables.incident))
    return iter([row for row in found if tables.incident[row[0]].reference == reference][:limit])


@modelled("incidents", "reference_used_since", "id")
def reference_used_since(database: "ModelDatabase", room_id: str, reference: str, since: int) -> Rows:
    tables = database.tables
    incidents = [tables.incident[one] for one in tables.incident_reference.get((room_id, reference), ())]
    used = [incident for incident in incidents if incident.opened_at >= since]
    if used:
        yield (max(used, key=lambda incident: incident.opened_at).id,)


@modelled("incidents", "events_of", "incident_id seq count feed_pos events")
def events_of(database: "ModelDatabase", incident_id: str) -> Rows:
    return map(_written, _decisions_of(database, incident_id))


@modelled("incidents", "inputs_of", "seq body")
def inputs_of(database: "ModelDatabase", incident_id: str) -> Rows:
    tables = database.tables
    for seq in tables.decisions_of.get(incident_id, ()):
        found = tables.decision_input.get((incident_id, seq))
        if found is not None:
            yield seq, found.body


# --- the feed


@modelled("feed", "read", "incident_id seq count feed_pos events")
def read(database: "ModelDatabase", room_id: str, after: int, limit: int) -> Rows:
    for decision in _decided(database, room_id, after):
        yield _written(decision)
        if decision.feed_pos >= after + limit:
            return


@modelled("feed", "decided", "incident_id feed_pos")
def decided(database: "ModelDatabase", room_id: str, after: int, limit: int) -> Rows:
    decisions = islice(_decided(database, room_id, after), limit)
    return ((decision.incident_id, decision.feed_pos) for decision in decisions)


@modelled("feed", "position", "feed_pos")
def position(database: "ModelDatabase", room_id: str) -> Rows:
    room = database.tables.control_room.get(room_id)
    if room is not None:
        yield (room.feed_pos,)


# --- alerts


@modelled("alerts", "of_medic", "incident_id n digit_pair holds drill state opened_at")
def alerts_of_medic(database: "ModelDatabase", medic_id: str, ended_since: int) -> Rows:
    for alert, incident in _newest_first(database, medic_id):
        if incident.ended_at is None or incident.ended_at >= ended_since:
            state, opened_at = incident.state, incident.opened_at
            yield alert.incident_id, alert.n, alert.digit_pair, alert.holds, alert.drill, state, opened_at


@modelled("alerts", "digit_pairs", "medic_id digit_pair")
def digit_pairs(database: "ModelDatabase", since: int) -> Rows:
    for medic_id in sorted(database.tables.alerts_of_medic):
        hers = [
            (incident.opened_at, alert.n, alert.digit_pair)
            for alert, incident in _newest_first(database, medic_id)
            if incident.opened_at >= since
        ]
        if hers:
            yield medic_id, max(hers)[2]


def _newest_first(database: "ModelDatabase", medic_id: str) -> list[tuple[Alert, Incident]]:
    tables = database.tables
    alerts = [tables.alert[key] for key in tables.alerts_of_medic.get(medic_id, ())]
    both = [(alert, tables.incident[alert.incident_id]) for alert in alerts]
    both.sort(key=lambda pair: (pair[1].opened_at, pair[1].id, pair[0].n), reverse=True)
    return both


def _decisions_of(database: "ModelDatabase", incident_id: str) -> list[Decision]:
    """In order: a decision is only ever added behind the last."""
    tables = database.tables
    return [tables.decision[incident_id, seq] for seq in tables.decisions_of.get(incident_id, ())]


def _decided(database: "ModelDatabase", room_id: str, after: int) -> Iterator[Decision]:
    """A control room's decisions after a feed position, in order."""
    tables = database.tables
    room = tables.control_room.get(room_id)
    for feed_pos in range(max(after, 0) + 1, room.feed_pos + 1 if room is not None else 0):
        key = tables.decision_feed.get((room_id, feed_pos))
        if key is not None:
            yield tables.decision[key]


def _written(decision: Decision) -> tuple[Any, ...]:
    return decision.incident_id, decision.seq, decision.count, decision.feed_pos, decision.events
