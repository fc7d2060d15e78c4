"""What clients are shown: one place that turns records into the contract's JSON shapes.

The structs are the shapes, in the order of their fields; OpenAPI is drawn from them. Positions, texts and
phones are shown to those whom they belong to, and never logged.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict

from dispatch import records
from dispatch.core import events as e
from dispatch.core import incident as core
from dispatch.ids import alert_id, event_id
from dispatch.times import rfc3339, rfc3339_or_none
from notify.message import Message, frame

Hours = records.Hours
Place = records.Place
Position = records.Position


class Alerting(msgspec.Struct, frozen=True):
    """How far the asking is; ``asked``, ``delivered``, ``seen``: medics since opening or the last reopen."""

    state: str
    wanted: int
    on_the_way: int
    asked: int
    delivered: int
    seen: int


class Alert(msgspec.Struct, frozen=True):
    """One request to one medic; ``medic_id`` and ``distance_m`` are null once she has been deleted."""

    id: str
    n: int
    medic_id: str | None
    role: str
    wave: int
    distance_m: int | None
    eta_s: int
    state: str
    channel: str | None
    requested_at: str
    expires_at: str
    delivered_at: str | None
    seen_at: str | None
    answered_at: str | None


class Incident(msgspec.Struct, frozen=True):
    """An incident as its control room sees it, true at feed position ``feed_id``.

    ``position``: null once the personal side of an ended incident has been deleted.
    """

    id: str
    reference: str
    kind: str
    priority: int
    setting: str
    position: Position | None
    address: str | None
    directions: str | None
    details: str | None
    state: str
    held_for: tuple[str, ...]
    drill: bool
    called_at: str
    opened_at: str
    ended_at: str | None
    ambulance_due_at: str | None
    ambulance_arrived_at: str | None
    hazard: str
    policy: str
    alerting: Alerting
    alerts: list[Alert]
    feed_id: str


class IncidentPage(msgspec.Struct, frozen=True):
    items: list[Incident]
    next_cursor: str | None
    feed_id: str


class By(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who caused an event; ``key`` is the id of a control room's key."""

    kind: str
    key: str | None = None


class Event(msgspec.Struct, frozen=True):
    """A fact about an incident; what ``data`` holds depends on ``type``."""

    id: str
    incident_id: str
    seq: int
    type: str
    at: str
    by: By
    data: dict[str, Any]


class EventList(msgspec.Struct, frozen=True):
    items: list[Event]


class Medic(msgspec.Struct, frozen=True):
    """A medic as control rooms see her; ``phone`` only for the one that registered her."""

    id: str
    name: str
    phone: str | None
    language: str
    skills: tuple[str, ...]
    mode: str
    cleared_for_homes: bool
    verified: bool
    suspended: bool
    certificate_until: str | None
    available: bool
    blocked: tuple[str, ...]


class MedicPage(msgspec.Struct, frozen=True):
    items: list[Medic]
    next_cursor: str | None


class Me(msgspec.Struct, frozen=True):
    """A medic as she sees herself. ``blocked``: channels that can not reach her, as after an SMS opt-out."""

    medic_id: str
    name: str
    available: bool
    drills: bool
    mode: str
    language: str
    time_zone: str | None
    quiet_hours: tuple[Hours, ...]
    places: tuple[Place, ...]
    channels: tuple[str, ...]
    blocked: tuple[str, ...]


class MyAlerts(msgspec.Struct, frozen=True):
    """Each as the socket's ``alert`` frame, with a ``state``."""

    items: list[Mapping[str, Any]]


class AlertState(msgspec.Struct, frozen=True):
    """What an answer made of an alert: of her newest of the incident, whichever it named."""

    alert_id: str
    state: str


class Enrolled(msgspec.Struct, frozen=True):
    token: str
    medic_id: str


encode = msgspec.json.Encoder().encode


def incident(record: records.Record) -> Incident:
    """A record as the contract's incident; its alerts listed by travel time."""
    state, details = record.state, record.details
    return Incident(
        id=record.id,
        reference=state.reference,
        kind=state.kind,
        priority=state.priority,
        setting=state.setting,
        position=details.position if details else None,
        address=details.address if details else None,
        directions=details.directions if details else None,
        details=details.details if details else None,
        state=state.state,
        held_for=state.held_for if state.live else (),
        drill=state.drill,
        called_at=rfc3339(state.called_at),
        opened_at=rfc3339(state.opened_at),
        ended_at=rfc3339_or_none(state.ended_at),
        ambulance_due_at=rfc3339_or_none(state.ambulance_due_at),
        ambulance_arrived_at=rfc3339_or_none(state.ambulance_arrived_at),
        hazard=state.hazard,
        policy=state.policy,
        alerting=_alerting(record),
        alerts=_alerts(record),
        feed_id=str(record.feed_pos),
    )


def _alerting(record: records.Record) -> Alerting:
    state = record.state
    current = state.current()
    return Alerting(
        state=core.alerting_state(state),
        wanted=core.wanted(state, record.policy),
        on_the_way=len(core.on_the_way(state)),
        asked=_medics(current, lambda _: True),
        delivered=_medics(current, lambda alert: alert.delivered_at is not None),
        seen=_medics(current, lambda alert: alert.seen_at is not None),
    )


def _medics(alerts: list[core.Alert], which: Callable[[core.Alert], bool]) -> int:
    """How many medics these alerts went to: one asked twice is one."""
    return len({alert.first for alert in alerts if which(alert)})


def _alerts(record: records.Record) -> list[Alert]:
    asked = {row.n: row for row in record.asked}
    alerts = sorted(record.state.alerts, key=lambda one: (one.eta_s, one.n))
    return [_alert(record.id, one, asked.get(one.n)) for one in alerts]


def _alert(incident_id: str, one: core.Alert, asked: records.Asked | None) -> Alert:
    return Alert(
        id=alert_id(incident_id, one.n),
        n=one.n,
        medic_id=asked.medic_id if asked else None,
        role=one.role,
        wave=one.wave,
        distance_m=asked.distance_m if asked else None,
        eta_s=one.eta_s,
        state=one.state,
        channel=one.channel,
        requested_at=rfc3339(one.requested_at),
        expires_at=rfc3339(one.expires_at),
        delivered_at=rfc3339_or_none(one.delivered_at),
        seen_at=rfc3339_or_none(one.seen_at),
        answered_at=rfc3339_or_none(one.answered_at),
    )


_TIMES = ("called_at", "ambulance_due_at", "ambulance_arrived_at", "expires_at")


def event(incident_id: str, seq: int, happened: e.Event) -> Event:
    """An event as the feed and the audit trail show it."""
    return Event(
        id=event_id(incident_id, seq),
        incident_id=incident_id,
        seq=seq,
        type=e.type_of(happened),
        at=rfc3339(happened.at),
        by=By(happened.by, happened.key),
        data=_data(happened),
    )


def _data(happened: e.Event) -> dict[str, Any]:
    data = asdict(happened)
    del data["at"], data["by"], data["key"]
    for name in _TIMES:
        if data.get(name) is not None:
            data[name] = rfc3339(data[name])
    for name in _left_out(happened):
        if data[name] is None:
            del data[name]
    return data


def _left_out(happened: e.Event) -> Iterable[str]:
    """Shown only where it has a value: of an update the new ones alone, a travel time where there is one."""
    if isinstance(happened, e.IncidentUpdated):
        return set(happened.__struct_fields__) - {"at", "by", "key", *happened.fields}
    return ("eta_s",) if isinstance(happened, e.AlertAnswered) else ()


def medic(one: records.Medic, *, for_room: str | None) -> Medic:
    """A medic for the control room ``for_room``."""
    return Medic(
        id=one.id,
        name=one.name,
        phone=one.phone if one.registered_by == for_room else None,
        language=one.language,
        skills=one.skills,
        mode=one.mode,
        cleared_for_homes=one.cleared_for_homes,
        verified=one.verified,
        suspended=one.suspended,
        certificate_until=rfc3339_or_none(one.certificate_until),
        available=one.available,
        blocked=one.blocked,
    )


def me(one: records.Medic) -> Me:
    return Me(
        medic_id=one.id,
        name=one.name,
        available=one.available,
        drills=one.drills,
        mode=one.mode,
        language=one.language,
        time_zone=one.time_zone,
        quiet_hours=one.quiet_hours,
        places=one.places,
        channels=one.channels,
        blocked=one.blocked,
    )


def my_alert(message: Message, state: str) -> Mapping[str, Any]:
    """One of a medic's alerts: the frame that the socket gives of it, and its state."""
    shown: dict[str, Any] = msgspec.json.decode(frame(message))
    return {**shown, "state": state}
