"""What is known of an incident and of medics beside the events: rows of their own, that can be deleted."""

from typing import Literal

import msgspec

from dispatch.core.events import AnyEvent, Hazard, Setting
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy

PLACE_DELETED = "its personal side has been deleted"


class Position(msgspec.Struct, frozen=True, gc=False):
    """WGS84 degrees; ``accuracy_m`` is the radius that the source states, if any."""

    lat: float
    lon: float
    accuracy_m: float | None = None


class Details(msgspec.Struct, frozen=True, gc=False):
    """The personal side of an incident. ``details`` never leaves the control room."""

    position: Position
    address: str | None = None
    directions: str | None = None
    details: str | None = None


class Asked(msgspec.Struct, frozen=True, gc=False):
    """Who alert ``n`` went to, how far she was, and which of the digit pairs answers it by SMS."""

    n: int
    medic_id: str
    distance_m: int
    digit_pair: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """An incident whole: its state, and the rows beside its events. ``feed_pos``: its last event's.

    ``details`` is None once its personal side has been deleted, which happens to ended incidents only.
    ``node`` is who decided last about it, or took it over: that one has its timer.
    """

    id: str
    control_room_id: str
    state: Incident
    details: Details | None
    policy: Policy
    asked: tuple[Asked, ...]
    feed_pos: int
    due_at: int | None
    node: str | None = None

    @property
    def place(self) -> Details:
        """Where it is; LookupError once that has been deleted."""
        if self.details is None:
            raise LookupError(PLACE_DELETED)
        return self.details


class NewIncident(msgspec.Struct, frozen=True, gc=False):
    """A checked report. ``called_at``, ``ambulance_due_at``: ms; ``priority`` None: the kind's."""

    reference: str
    kind: str
    details: Details
    called_at: int | None = None
    priority: int | None = None
    setting: Setting = "public"
    ambulance_due_at: int | None = None
    hazard: Hazard = "none"
    drill: bool = False
    never_alert: bool = False


class Change(msgspec.Struct, frozen=True):
    """A checked PATCH: ``fields`` names what was given, of the personal side in ``details`` too."""

    fields: tuple[str, ...]
    details: Details
    kind: str | None = None
    never_alert: bool | None = None
    priority: int | None = None
    setting: Setting | None = None
    hazard: Hazard | None = None
    ambulance_due_at: int | None = None
    ambulance_arrived_at: int | None = None

    def onto(self, now: Details) -> Details:
        """The personal side with what this gives: two changes at once each keep what the other gave."""
        given = [name for name in Details.__struct_fields__ if name in self.fields]
        return msgspec.structs.replace(now, **{name: getattr(self.details, name) for name in given})


class Decided(msgspec.Struct, frozen=True):
    """One row of an incident's history: its events from ``seq`` on, and the commands kept with them as JSON.

    ``inputs``: "" where they were deleted; None where there never were any.
    """

    seq: int
    events: tuple[AnyEvent, ...]
    inputs: bytes | None


class Hours(msgspec.Struct, frozen=True, gc=False):
    """On ``days`` (1 Monday ... 7 Sunday), "HH:MM" to "HH:MM"; an end not after its start is tomorrow."""

    days: tuple[int, ...]
    from_: str = msgspec.field(name="from")
    to: str = ""


class Place(msgspec.Struct, frozen=True, gc=False):
    """A registered home or work address; without hours it holds always."""

    label: str
    lat: float
    lon: float
    hours: tuple[Hours, ...] = ()


class Medic(msgspec.Struct, frozen=True, gc=False):
    """A medic's row. ``channels``: those she allows; ``blocked``: those that can not reach her (21610)."""

    id: str
    name: str
    phone: str
    language: Literal["nl", "en"]
    skills: tuple[str, ...]
    mode: Literal["foot", "bicycle", "car"]
    cleared_for_homes: bool
    verified: bool
    suspended: bool
    certificate_until: int | None
    registered_by: str | None
    available: bool = False
    drills: bool = False
    time_zone: str | None = None
    quiet_hours: tuple[Hours, ...] = ()
    places: tuple[Place, ...] = ()
    channels: tuple[str, ...] = ("websocket", "sms")
    blocked: tuple[str, ...] = ()


class Fix(msgspec.Struct, frozen=True, gc=False):
    """A medic's last known position, ``at`` ms, never later than when it came in."""

    medic_id: str
    lat: float
    lon: float
    accuracy_m: float | None
    at: int
