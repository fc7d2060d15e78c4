"""What a notification says, made from the incident as it is when it is sent."""

from dispatch.core import events as e
from dispatch.ids import alert_id, notification_id
from dispatch.records import Asked, Medic, Record
from notify.digits import digit_pair
from notify.message import Instruction, Message, Position


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
    state, details, n = record.state, record.details, asked.n
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
