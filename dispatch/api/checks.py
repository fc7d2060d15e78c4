"""From what was sent to what is meant: kinds, codes and times checked against the service's own.

Times: a clock that runs a little ahead of ours is set back to now, since a refused report costs more than a
minute; what lies further ahead, or more than a week back, is a mistake and is refused.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from dispatch.api import shapes
from dispatch.api.problem import invalid
from dispatch.codes import NEVER, Codes
from dispatch.records import Change, Details, Fix, Hours, NewIncident, Place, Position
from dispatch.times import to_ms

Given = TypeVar("Given")

AHEAD_MS_MAX = 60_000
BACK_MS_MAX = 7 * 24 * 3600 * 1000
DUE_MS_MAX = 24 * 3600 * 1000
UNMAPPED_KIND = "other"
"""The kind of what a code says never to alert for, where the control room gives none."""


class Checks:
    """The checks that need to know the service's kinds and codes. Every method raises Problem (422)."""

    def __init__(self, kinds: Collection[str], codes: Codes) -> None:
        self._kinds = kinds
        self._codes = codes

    def new_incident(self, sent: shapes.IncidentReport, now_ms: int) -> NewIncident:
        kind, never_alert = self.kind_of(sent.kind, sent.code)
        if kind is None:
            raise invalid(("kind", "is missing: give a kind or a code"))
        return NewIncident(
            reference=sent.reference,
            kind=kind,
            details=Details(position_of(sent.position), sent.address, sent.directions, sent.details),
            called_at=None if sent.called_at is None else past("called_at", sent.called_at, now_ms),
            priority=sent.priority,
            setting=sent.setting or "public",
            ambulance_due_at=due("ambulance_due_at", sent.ambulance_due_at, now_ms),
            hazard=sent.hazard or "none",
            drill=bool(sent.drill),
            never_alert=never_alert,
        )

    def change(self, sent: shapes.IncidentPatch, details: Details, now_ms: int) -> Change:
        """``details``: the incident's personal side as it is."""
        fields = [name for name in sent.__struct_fields__ if getattr(sent, name) is not UNSET]
        kind, never_alert = self.kind_of(_or_none(sent.kind), _or_none(sent.code))
        if kind is not None and "kind" not in fields:
            fields.append("kind")
        arrived_at = _or_none(sent.ambulance_arrived_at)
        return Change(
            fields=tuple(fields),
            details=_merged(sent, details),
            kind=kind,
            never_alert=never_alert if {"kind", "code"} & set(fields) else None,
            priority=_or_none(sent.priority),
            setting=_or_none(sent.setting),
            hazard=_or_none(sent.hazard),
            ambulance_due_at=due("ambulance_due_at", _or_none(sent.ambulance_due_at), now_ms),
            ambulance_arrived_at=None
            if arrived_at is None
            else past("ambulance_arrived_at", arrived_at, now_ms),
        )

    def kind_of(self, kind: str | None, code: shapes.Code | None) -> tuple[str | None, bool]:
        """The kind meant, and whether the code says never to alert for it.

        A given kind counts before the code's; "never" of a code counts always. An unknown code needs a kind.
        """
        if kind is not None and kind not in self._kinds:
            raise invalid(("kind", f"must be one of {', '.join(self._kinds)}"))
        if code is None:
            return kind, False
        mapped = self._codes.get((code.system, code.value))
        if mapped is None and kind is None:
            raise invalid(("code", "is not known here: give a kind beside it"))
        never = mapped == NEVER
        return kind or (UNMAPPED_KIND if never else mapped), never


def position_of(sent: shapes.Position) -> Position:
    return Position(sent.lat, sent.lon, sent.accuracy_m)


def past(field: str, moment: datetime, now_ms: int) -> int:
    """A time that has been: at most a minute ahead (then: now), at most a week back."""
    at_ms = to_ms(moment)
    if at_ms > now_ms + AHEAD_MS_MAX:
        raise invalid((field, "lies in the future"))
    if at_ms < now_ms - BACK_MS_MAX:
        raise invalid((field, "lies more than a week back"))
    return min(at_ms, now_ms)


def due(field: str, moment: datetime | None, now_ms: int) -> int | None:
    """A time that is expected: at most a day ahead, at most a week back."""
    if moment is None:
        return None
    at_ms = to_ms(moment)
    if not now_ms - BACK_MS_MAX <= at_ms <= now_ms + DUE_MS_MAX:
        raise invalid((field, "lies more than a day ahead, or more than a week back"))
    return at_ms


def any_time(field: str, moment: datetime) -> int:
    """A time at which nothing is wrong but where, brought to UTC, it falls out of the years 1 to 9999."""
    try:
        return to_ms(moment.astimezone(UTC))
    except OverflowError:
        raise invalid((field, "is out of range")) from None


class SentFix(Protocol):
    """A position as a device sends it, over HTTP or its socket."""

    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...
    @property
    def accuracy_m(self) -> float | None: ...
    @property
    def at(self) -> datetime: ...


def fix_of(medic_id: str, sent: SentFix, now_ms: int) -> Fix:
    return Fix(medic_id, sent.lat, sent.lon, sent.accuracy_m, past("at", sent.at, now_ms))


def time_zone_of(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid(("time_zone", "is not a time zone such as Europe/Amsterdam")) from None
    return name


def hours_of(sent: tuple[shapes.Hours, ...]) -> tuple[Hours, ...]:
    return tuple(Hours(tuple(sorted(set(one.days))), one.from_, one.to) for one in sent)


def places_of(sent: tuple[shapes.Place, ...]) -> tuple[Place, ...]:
    return tuple(Place(one.label, one.lat, one.lon, hours_of(one.hours)) for one in sent)


def _merged(sent: shapes.IncidentPatch, details: Details) -> Details:
    if not isinstance(sent.position, UnsetType):
        details = replace(details, position=position_of(sent.position))
    given = {
        name: value
        for name in ("address", "directions", "details")
        if (value := getattr(sent, name)) is not UNSET
    }
    return replace(details, **given) if given else details


def _or_none(value: Given | UnsetType | None) -> Given | None:
    return None if isinstance(value, UnsetType) else value
