"""What clients may send: the shapes of request bodies, with their bounds. Unknown fields are refused.

Times carry a time zone. In a PATCH a field that is not given stays; null empties those that may be empty.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

WHOLE = r"$(?!\n)"
"""Where a pattern ends: Python's ``$`` alone also stands before a last line end, OpenAPI's does not."""

Lat: TypeAlias = Annotated[float, Meta(ge=-90, le=90, description="Degrees north, WGS84")]
Lon: TypeAlias = Annotated[float, Meta(ge=-180, le=180, description="Degrees east, WGS84")]
AccuracyM: TypeAlias = Annotated[float, Meta(ge=0, le=1_000_000, description="Radius in metres")]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
Reference: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Kind: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40)]
Priority: TypeAlias = Annotated[int, Meta(ge=1, le=9, description="1 first")]
Address: TypeAlias = Annotated[str, Meta(max_length=300)]
Directions: TypeAlias = Annotated[str, Meta(max_length=1000)]
Details: TypeAlias = Annotated[str, Meta(max_length=4000, description="Never leaves the control room")]
Setting: TypeAlias = Literal["public", "private"]
Hazard: TypeAlias = Literal["none", "hold", "block"]
Language: TypeAlias = Literal["nl", "en"]
Mode: TypeAlias = Literal["foot", "bicycle", "car"]
Channel: TypeAlias = Literal["websocket", "webpush", "sms", "voice"]
Phone: TypeAlias = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}" + WHOLE, description="E.164")]
Skill: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}" + WHOLE)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
ClockTime: TypeAlias = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]" + WHOLE)]
Weekday: TypeAlias = Annotated[int, Meta(ge=1, le=7, description="1 Monday ... 7 Sunday")]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body, or a part of one."""


class Position(Shape, frozen=True):
    lat: Lat
    lon: Lon
    accuracy_m: AccuracyM | None = None


class Code(Shape, frozen=True):
    """A code of the control room's own triage system, mapped by DISPATCH_CODES_FILE."""

    system: Annotated[str, Meta(min_length=1, max_length=40)]
    value: Annotated[str, Meta(min_length=1, max_length=64)]


class IncidentReport(Shape, frozen=True):
    """``POST /v1/incidents``; ``kind`` or ``code`` is needed. Null is as good as left out.

    Without them ``setting`` is ``public``, ``hazard`` ``none`` and ``drill`` false.
    """

    reference: Reference
    position: Position
    kind: Kind | None = None
    code: Code | None = None
    called_at: Time | None = None
    address: Address | None = None
    directions: Directions | None = None
    details: Details | None = None
    priority: Priority | None = None
    setting: Setting | None = None
    ambulance_due_at: Time | None = None
    hazard: Hazard | None = None
    drill: bool | None = None


class IncidentPatch(Shape, frozen=True):
    """``PATCH /v1/incidents/{id}``."""

    kind: Kind | UnsetType = UNSET
    code: Code | UnsetType = UNSET
    position: Position | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    directions: Directions | UnsetType | None = UNSET
    details: Details | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    setting: Setting | UnsetType = UNSET
    ambulance_due_at: Time | UnsetType | None = UNSET
    ambulance_arrived_at: Time | UnsetType = UNSET
    hazard: Hazard | UnsetType = UNSET


class MoreMedics(Shape, frozen=True):
    count: Annotated[int, Meta(ge=1, le=20)]


class Nothing(Shape, frozen=True):
    """An empty object; the body may also be left out."""


class NewMedic(Shape, frozen=True):
    """``POST /v1/medics``. Who is registered by a control room is verified."""

    name: Name
    phone: Phone
    language: Language = "nl"
    skills: Annotated[tuple[Skill, ...], Meta(max_length=50)] = ()
    mode: Mode = "foot"
    cleared_for_homes: bool = False
    verified: bool = True
    suspended: bool = False
    certificate_until: Time | None = None


class MedicPatch(Shape, frozen=True):
    """``PATCH /v1/medics/{id}``; of another control room's medic, ``suspended`` alone."""

    name: Name | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    skills: Annotated[tuple[Skill, ...], Meta(max_length=50)] | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    cleared_for_homes: bool | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    suspended: bool | UnsetType = UNSET
    certificate_until: Time | UnsetType | None = UNSET


class Enrolment(Shape, frozen=True):
    phone: Phone


class EnrolmentConfirmation(Shape, frozen=True):
    phone: Phone
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}" + WHOLE)]


class Hours(Shape, frozen=True):
    """On ``days`` from ``from`` to ``to``, in her time zone; an end not after the start is the next day's."""

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]
    from_: ClockTime = msgspec.field(name="from")
    to: ClockTime


class Place(Shape, frozen=True):
    """A home or work address; without hours it holds always."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    lat: Lat
    lon: Lon
    hours: Annotated[tuple[Hours, ...], Meta(max_length=50)] = ()


class MePatch(Shape, frozen=True):
    """``PATCH /v1/me``."""

    available: bool | UnsetType = UNSET
    drills: bool | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    quiet_hours: Annotated[tuple[Hours, ...], Meta(max_length=50)] | UnsetType = UNSET
    places: Annotated[tuple[Place, ...], Meta(max_length=10)] | UnsetType = UNSET
    channels: Annotated[tuple[Channel, ...], Meta(max_length=4)] | UnsetType = UNSET


class Fix(Shape, frozen=True):
    """``PUT /v1/me/position``: where she was ``at`` that moment."""

    lat: Lat
    lon: Lon
    at: Time
    accuracy_m: AccuracyM | None = None
