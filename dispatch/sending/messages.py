"""What a notification says, made from the incident as it is when it is sent, and whether it still holds."""

from dispatch.core import events as e
from dispatch.core.incident import Alert, Incident, Note
from dispatch.core.ladder import still_true
from dispatch.deciding.live import Live
from dispatch.ids import alert_id, notification_id
from dispatch.records import Asked, Medic, Record
from dispatch.roster.roster import Roster
from notify.digits import digit_pair
from notify.message import Instruction, Message, Position

SAYS_WHICH_ALERT = ("websocket",)
"""Channels whose receiver knows which alert a message is about."""


def instruction(record: Record) -> Instruction:
    return "wait" if record.state.state == "held" else "go"


def message(
    record: Record,
    asked: Asked,
    k: int,
    purpose: e.Purpose,
    medic: Medic,
    distance_m: int | None = None,
) -> Message:
    """The message of notification ``k`` of an alert. ``distance_m``: from where she is now, if known."""
    state, details, n = record.state, record.place, asked.n
    alert = state.alert(n)
    at = details.position
    return Message(
        message_id=notification_id(record.id, n, k),
        alert_id=alert_id(record.id, n),
        purpose=purpose,
        incident_id=record.id,
        kind=state.kind,
        position=Position(at.lat, at.lon, at.accuracy_m),
        address=details.address,
        directions=details.directions,
        drill=state.drill,
        role=alert.role,
        instruction=instruction(record),
        distance_m=asked.distance_m if distance_m is None else distance_m,
        eta_s=alert.eta_s,
        travel="estimate",
        expires_at_ms=alert.expires_at,
        language=medic.language,
        reason=alert.reason if purpose == "stand_down" else None,
        digits=digit_pair(asked.digit_pair),
    )


def message_now(live: Live, n: int, note: Note, medic: Medic, roster: Roster, at: int) -> Message:
    """The same from memory; an update says how far she is now."""
    record = live.record
    assert record is not None, "there is a notification"
    metres = _metres(record, medic, roster, at) if note.purpose == "update" else None
    return message(record, live.by_n[n], note.k, note.purpose, medic, metres)


def still_holds(state: Incident, alert: Alert, note: Note) -> bool:
    """Whether she is still to be told what the notification says."""
    if note.purpose == "alert":
        return alert.open and alert.seen_at is None and state.state == "open"
    if note.channel not in SAYS_WHICH_ALERT and state.newest_of(alert.n).n != alert.n:
        return False  # asked again since: she would take it for the newer one
    return note.message == alert.message and still_true(state, alert)


def _metres(record: Record, medic: Medic, roster: Roster, at: int) -> int | None:
    place = record.place.position
    way = roster.eta(medic.id, lat=place.lat, lon=place.lon, at=at, fix_stale_s=record.policy.fix_stale_s)
    return None if way is None else way[0]
