"""Facts about an incident: appended once, never changed.

Every event is a frozen struct whose stored name (its ``type``) is its class name, and those names are
meant to be right in ten years. ``at`` is integer milliseconds since the Unix epoch, from the command that
caused it; ``by`` and ``key`` say who. Medics appear only as ``n``, the alert's number in its incident:
who ``n`` is stands in a row that can be deleted.

Here, in commands, in states and in `dispatch.records`, ``gc=False`` spares Python's collector of cycles the
walk through what can be in none: a struct that holds nothing but plain values and other such structs.
"""

from typing import Literal, TypeAlias

import msgspec

SCHEMA_VERSION = 1

By: TypeAlias = Literal["control_room", "medic", "provider", "timer"]
Setting: TypeAlias = Literal["public", "private"]
Hazard: TypeAlias = Literal["none", "hold", "block"]
Hold: TypeAlias = Literal["hazard", "code", "stale", "position", "unsafe", "paused"]
Channel: TypeAlias = str
Purpose: TypeAlias = Literal["alert", "update", "stand_down"]
Answer: TypeAlias = Literal["accept", "decline", "arrived", "finished", "unsafe"]
StandDown: TypeAlias = Literal[
    "covered", "cancelled", "closed", "changed", "moved", "unsafe", "ambulance", "suspended", "engaged"
]


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag=True, omit_defaults=False):
    """What every event carries: when, and who caused it (``key``: the API key's id, when a control room)."""

    at: int
    by: By
    key: str | None


class IncidentOpened(Event, frozen=True, tag=True):
    reference: str
    kind: str
    priority: int
    setting: Setting
    drill: bool
    hazard: Hazard
    policy: str
    called_at: int
    ambulance_due_at: int | None


class IncidentUpdated(Event, frozen=True, tag=True):
    """``fields`` names all that changed; the rest are the new values of what decides (None: unchanged).

    ``ambulance_due_at`` and ``ambulance_arrived_at`` are new values only when ``fields`` names them.
    """

    fields: tuple[str, ...]
    kind: str | None = None
    policy: str | None = None
    priority: int | None = None
    setting: Setting | None = None
    hazard: Hazard | None = None
    ambulance_due_at: int | None = None
    ambulance_arrived_at: int | None = None


class IncidentHeld(Event, frozen=True, tag=True):
    """``reasons``: all now standing, in the order in which they came."""

    reasons: tuple[Hold, ...]


class IncidentReleased(Event, frozen=True, tag=True):
    pass


class MoreRequested(Event, frozen=True, tag=True):
    count: int


class EnoughSaid(Event, frozen=True, tag=True):
    pass


class WaveDecided(Event, frozen=True, tag=True):
    """``considered``: candidates that the roster gave; ``chosen``: alerts that follow."""

    wave: int
    considered: int
    chosen: int


class AlertRequested(Event, frozen=True, tag=True):
    """``first`` is the number of her first alert for this incident: ``n`` itself, or an earlier one."""

    n: int
    role: str
    wave: int
    eta_s: int
    expires_at: int
    first: int


class NotificationRequested(Event, frozen=True, tag=True):
    n: int
    k: int
    channel: Channel
    purpose: Purpose


class NotificationSent(Event, frozen=True, tag=True):
    n: int
    k: int
    channel: Channel
    purpose: Purpose


class NotificationDelivered(Event, frozen=True, tag=True):
    n: int
    k: int
    channel: Channel
    purpose: Purpose


class NotificationFailed(Event, frozen=True, tag=True):
    """``definite``: certainly not sent. A ladder rung that could not be tried has this event alone."""

    n: int
    k: int
    channel: Channel
    purpose: Purpose
    reason: str
    definite: bool


class AlertDelivered(Event, frozen=True, tag=True):
    n: int
    channel: Channel


class AlertSeen(Event, frozen=True, tag=True):
    n: int
    channel: Channel


class AlertAnswered(Event, frozen=True, tag=True):
    """``eta_s`` with an accept: her travel time from where she is now."""

    n: int
    answer: Answer
    channel: Channel | None
    eta_s: int | None = None


class TextNotUnderstood(Event, frozen=True, tag=True):
    """She wrote something that is no answer. What she wrote is hers, and not kept."""

    n: int
    channel: Channel


class AlertMoved(Event, frozen=True, tag=True):
    """The incident moved; ``counts``: she is still among those the waves want."""

    n: int
    eta_s: int
    counts: bool


class AlertOverdue(Event, frozen=True, tag=True):
    n: int


class AlertExpired(Event, frozen=True, tag=True):
    n: int


class AlertFailed(Event, frozen=True, tag=True):
    n: int


class AlertStoodDown(Event, frozen=True, tag=True):
    n: int
    reason: StandDown


class IncidentCovered(Event, frozen=True, tag=True):
    on_the_way: int


class IncidentUncovered(Event, frozen=True, tag=True):
    on_the_way: int


class NobodyFound(Event, frozen=True, tag=True):
    asked: int
    on_the_way: int


class IncidentClosed(Event, frozen=True, tag=True):
    pass


class IncidentCancelled(Event, frozen=True, tag=True):
    pass


class IncidentReopened(Event, frozen=True, tag=True):
    pass


AnyEvent: TypeAlias = (
    IncidentOpened
    | IncidentUpdated
    | IncidentHeld
    | IncidentReleased
    | MoreRequested
    | EnoughSaid
    | WaveDecided
    | AlertRequested
    | NotificationRequested
    | NotificationSent
    | NotificationDelivered
    | NotificationFailed
    | AlertDelivered
    | AlertSeen
    | AlertAnswered
    | TextNotUnderstood
    | AlertMoved
    | AlertOverdue
    | AlertExpired
    | AlertFailed
    | AlertStoodDown
    | IncidentCovered
    | IncidentUncovered
    | NobodyFound
    | IncidentClosed
    | IncidentCancelled
    | IncidentReopened
)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyEvent).decode


def type_of(event: Event) -> str:
    """The stored name of an event."""
    return type(event).__name__
