"""From an append to the rows of the function ``append``: the tuples follow its types, field by field.

The read models say only what the events of this decision changed: a receipt touches no alert's row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import astuple

from dispatch.core import events as e
from dispatch.core.incident import Incident
from dispatch.core.ladder import unheard
from dispatch.core.lifecycle import ON_ANSWER, OPEN
from dispatch.store.appends import Append, Remembered, Stream

Row: TypeAlias = tuple[Any, ...]

encode_events = msgspec.json.Encoder().encode
TELL_A_REPEAT = frozenset({"websocket", "webpush"})
"""Channels whose receiver knows a message it has had: no row is needed to fence the send."""
HOLDS: Mapping[str, str] = dict.fromkeys(OPEN, "open") | dict.fromkeys(ON_ANSWER, "engaged")
"""What a medic owes an alert by its state: an answer, or her coming; nothing (any more) in every other."""
# By exact type, as events have no descendants: this is looked up for every event that is written.
_CLAIM_CHANGED = frozenset({e.AlertAnswered, e.AlertExpired, e.AlertFailed, e.AlertStoodDown})
_NOTIFICATION = frozenset(
    {e.NotificationRequested, e.NotificationSent, e.NotificationDelivered, e.NotificationFailed}
)


class Rows(msgspec.Struct):
    """The rows of one append. ``streams`` lack the places in feed and batch, which ``arguments`` knows.

    ``told`` are the incidents that have ended, and of which every device has heard.
    """

    rooms: list[str] = []
    streams: list[Row] = []
    details: list[Row] = []
    inputs: list[Row] = []
    alerts: list[Row] = []
    holds: list[Row] = []
    notifications: list[Row] = []
    outcomes: list[Row] = []
    keys: list[Row] = []
    told: list[str] = []


def rows_of(work: Append, *, append_id: int) -> Rows:
    """The rows of one append."""
    rows = Rows()
    for stream in work.streams:
        _add_stream(rows, stream, append_id)
        _add_alerts(rows, stream)
        _add_notifications(rows, stream)
    if work.remember is not None:
        rows.keys.append(_key_row(work.remember, append_id))
    return rows


def arguments(batch: Sequence[Rows]) -> list[list[Any]]:
    """The function's arguments: rooms in id order, streams placed in them in the order of the batch."""
    counts = dict.fromkeys(sorted({room for rows in batch for room in rows.rooms}), 0)
    opened = dict.fromkeys(counts, 0)
    place = {room: i for i, room in enumerate(counts, start=1)}
    streams: list[Row] = []
    for rows in batch:
        for room, (incident_id, seq, count, *rest) in zip(rows.rooms, rows.streams, strict=True):
            counts[room] += count
            opened[room] += seq == 1
            streams.append((incident_id, place[room], counts[room], seq, count, *rest))
    rooms = [(room, count, opened[room]) for room, count in counts.items()]
    return [rooms, streams, *(_joined(batch, field) for field in Rows.__struct_fields__[2:])]


def _joined(batch: Sequence[Rows], field: str) -> list[Any]:
    return [row for rows in batch for row in getattr(rows, field)]


def _add_stream(rows: Rows, stream: Stream, append_id: int) -> None:
    assert stream.events, "a decision without events is not appended"
    assert stream.seq > 0, "the state is the one after the events"
    state = stream.state
    rows.rooms.append(stream.control_room_id)
    rows.streams.append(
        (
            stream.incident_id,
            stream.seq,
            len(stream.events),
            append_id,
            e.SCHEMA_VERSION,
            encode_events(stream.events).decode(),
            state.reference,
            state.kind,
            state.priority,
            state.drill,
            state.state,
            state.policy,
            state.opened_at,
            state.ended_at,
            stream.due_at,
            _owes(stream),
        )
    )
    if state.ended_at is not None and not unheard(state):
        rows.told.append(stream.incident_id)
    if (details := stream.details) is not None:
        at = details.position
        personal = (details.address, details.directions, details.details)
        rows.details.append((stream.incident_id, at.lat, at.lon, at.accuracy_m, *personal, stream.seq == 1))
    if stream.inputs is not None:
        rows.inputs.append((stream.incident_id, stream.seq, stream.inputs.decode()))


def _add_alerts(rows: Rows, stream: Stream) -> None:
    incident_id, drill, alerts = stream.incident_id, stream.state.drill, stream.state.alerts
    for n, medic_id, distance_m, digit_pair in map(astuple, stream.asked):
        holds = HOLDS.get(alerts[n - 1].state)
        rows.alerts.append((incident_id, n, medic_id, distance_m, digit_pair, drill, holds))
    new = {asked.n for asked in stream.asked}
    assert new == {event.n for event in stream.events if type(event) is e.AlertRequested}
    changed = {event.n for event in stream.events if type(event) in _CLAIM_CHANGED}  # type: ignore[union-attr]
    for n in sorted(changed - new):
        rows.holds.append((incident_id, n, HOLDS.get(alerts[n - 1].state)))


def _add_notifications(rows: Rows, stream: Stream) -> None:
    requested: dict[tuple[int, int], e.NotificationRequested] = {}
    provider_ids = {(n, k): provider_id for n, k, provider_id in stream.provider_ids}
    settled = dict.fromkeys(provider_ids)
    for event in _of_fenced_channels(stream.events):
        if isinstance(event, e.NotificationRequested):
            requested[event.n, event.k] = event
        else:
            settled[event.n, event.k] = None
    for (n, k), event in requested.items():
        what = (event.channel, event.purpose, _note_state(stream.state, n, k), event.at)
        rows.notifications.append((stream.incident_id, n, k, *what))
    for n, k in (key for key in settled if key not in requested):
        outcome = (_note_state(stream.state, n, k), provider_ids.get((n, k)))
        rows.outcomes.append((stream.incident_id, n, k, *outcome))


def _of_fenced_channels(events: Iterable[Any]) -> list[Any]:
    """The notification events of channels whose sends must be fenced."""
    return [event for event in events if type(event) in _NOTIFICATION and event.channel not in TELL_A_REPEAT]


def _owes(stream: Stream) -> bool:
    """Whether something is left to do without anybody asking: a tick, an outcome, to go on after a pause."""
    pending = any(note.pending for alert in stream.state.alerts for note in alert.notes)
    return stream.due_at is not None or stream.state.paused or pending


def _note_state(state: Incident, n: int, k: int) -> str:
    return next(note.state for note in state.alert(n).notes if note.k == k)


def _key_row(key: Remembered, append_id: int) -> Row:
    return (key.control_room_id, key.key, key.request_hash, key.subject, key.at, append_id)
