"""Decisions made by hand: an incident opened with alerts, and what may follow, as the appender takes them."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.core.policy import digest, shipped
from dispatch.records import Asked, Details, Medic, Place, Position
from dispatch.store.appends import Append, Remembered, Stream

AT = 1_773_144_000_000
DAY_MS = 24 * 3600 * 1000
POLICY = shipped()["cardiac_arrest"]
POLICY_HASH = digest(POLICY)
DETAILS = Details(Position(53.35, -6.26, 12.0), "12 Main Street", "blue door", "collapsed")
ROOM, OTHER_ROOM = "room-a", "room-b"


def opening(
    incident_id: str,
    medics: Sequence[str] = (),
    *,
    room: str = ROOM,
    at: int = AT,
    channel: str = "websocket",
    drill: bool = False,
    reference: str | None = None,
    due_at: int | None = AT + 8_000,
    remember: Remembered | None = None,
) -> Append:
    """An incident opened, with an alert to each of ``medics``."""
    by: dict[str, Any] = {"at": at, "by": "control_room", "key": "key"}
    happened: list[e.AnyEvent] = [
        e.IncidentOpened(
            **by,
            reference=reference or incident_id,
            kind="cardiac_arrest",
            priority=1,
            setting="public",
            drill=drill,
            hazard="none",
            policy=POLICY_HASH,
            called_at=at,
            ambulance_due_at=None,
        ),
        *asked_of(medics, by, channel),
    ]
    asked = tuple(Asked(n, medic, 100 * n, n % 4) for n, medic in enumerate(medics, start=1))
    stream = Stream(
        incident_id,
        room,
        tuple(happened),
        evolve_all(None, happened),
        due_at,
        asked,
        DETAILS,
        b'{"command":"Open","candidates":[%s]}' % b",".join(b'"%s"' % m.encode() for m in medics),
    )
    return Append((stream,), remember)


def asked_of(medics: Sequence[str], by: dict[str, Any], channel: str) -> list[e.AnyEvent]:
    """An alert to each, from number 1, and its first notification."""
    happened: list[e.AnyEvent] = []
    for n in range(1, len(medics) + 1):
        happened.append(
            e.AlertRequested(
                **by, n=n, role="direct", wave=1, eta_s=60 * n, expires_at=by["at"] + 60_000, first=n
            )
        )
        happened.append(e.NotificationRequested(**by, n=n, k=1, channel=channel, purpose="alert"))
    return happened


def then(work: Append, *happened: e.AnyEvent, due_at: int | None = AT + 9_000) -> Append:
    """What follows ``work`` in its (only) incident."""
    (before,) = work.streams
    state = evolve_all(before.state, happened)
    return Append(
        (replace(before, events=happened, state=state, due_at=due_at, asked=(), details=None, inputs=None),)
    )


def together(*works: Append) -> Append:
    """One decision that touches several incidents."""
    return Append(tuple(stream for work in works for stream in work.streams))


def state_of(work: Append) -> Incident:
    return work.streams[0].state


def answered(n: int, answer: e.Answer, at: int = AT + 1_000) -> e.AlertAnswered:
    return e.AlertAnswered(at=at, by="medic", key=None, n=n, answer=answer, channel="websocket", eta_s=60)


def accepted(n: int) -> e.AlertAnswered:
    return answered(n, "accept")


def expired(n: int, at: int = AT + 1_000) -> e.AlertExpired:
    return e.AlertExpired(at=at, by="timer", key=None, n=n)


def stood_down(n: int, at: int = AT + 1_000) -> e.AlertStoodDown:
    return e.AlertStoodDown(at=at, by="timer", key=None, n=n, reason="engaged")


def delivered(n: int, at: int = AT + 500) -> e.AlertDelivered:
    return e.AlertDelivered(at=at, by="medic", key=None, n=n, channel="websocket")


def sms_sent(n: int, k: int = 1, at: int = AT + 500) -> e.NotificationSent:
    return e.NotificationSent(at=at, by="provider", key=None, n=n, k=k, channel="sms", purpose="alert")


def closed(at: int = AT + 2_000) -> e.IncidentClosed:
    return e.IncidentClosed(at=at, by="control_room", key="key")


def a_medic(medic_id: str, **changes: Any) -> Medic:
    medic = Medic(
        id=medic_id,
        name=f"Medic {medic_id}",
        phone=f"+31{abs(hash(medic_id)) % 10**9:09d}",
        language="nl",
        skills=("first_aid", "bls"),
        mode="bicycle",
        cleared_for_homes=True,
        verified=True,
        suspended=False,
        certificate_until=AT + DAY_MS,
        registered_by=ROOM,
        available=True,
        places=(Place("home", 52.1, 5.1),),
    )
    return replace(medic, **changes)
