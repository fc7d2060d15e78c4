"""An incident's state, and how each event changes it: ``evolve(state, event) -> state``.

The state holds nothing but what events said, so that replaying them gives it again. Two clocks stand still
at times: the waves' clock runs only while somebody may be asked, the open clock only while not held.
Structs are frozen; ``evolve`` gives a new one and shares what did not change. All times are integer
milliseconds, durations end in ``_ms``.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.lifecycle import ALERT, LIVE, ON_ANSWER, OPEN, Next
from dispatch.core.policy import Policy


class Note(msgspec.Struct, frozen=True):
    """One notification: ``k`` counts within its alert, ``message`` is the alert's message that it brings."""

    k: int
    channel: str
    purpose: e.Purpose
    message: int
    state: str  # requested, sent, delivered, failed
    at: int
    definite: bool = False

    @property
    def pending(self) -> bool:
        return self.state == "requested"

    @property
    def unsent(self) -> bool:
        """Certainly never reached the medic."""
        return self.state == "failed" and self.definite


class Alert(msgspec.Struct, frozen=True):
    """One request to one medic. ``first`` groups the alerts of one medic; ``era`` counts reopenings.

    ``arrived_at`` is also set by her own ``finished``, which says that she was there.
    ``message`` numbers what she was last told (1 is the alert itself), ``told`` is its purpose. ``eta_at``
    and ``eta_clock_ms`` say when, on the wall and on the open clock, ``eta_s`` began to run.
    """

    n: int
    first: int
    era: int
    role: str
    wave: int
    eta_s: int
    requested_at: int
    expires_at: int
    state: str = "requested"
    counts: bool = True
    overdue: bool = False
    reason: e.StandDown | None = None
    channel: str | None = None
    delivered_at: int | None = None
    seen_at: int | None = None
    answered_at: int | None = None
    accepted_at: int | None = None
    arrived_at: int | None = None
    expired_at: int | None = None
    eta_at: int = 0
    eta_clock_ms: int = 0
    message: int = 1
    told: e.Purpose = "alert"
    told_at: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def engaged(self) -> bool:
        """Accepted or arrived, and not finished."""
        return self.state in ON_ANSWER

    @property
    def withdrawn(self) -> bool:
        """Declined after she had accepted or arrived."""
        came = self.accepted_at is not None or self.arrived_at is not None
        return self.state == "declined" and came

    @property
    def may_know(self) -> bool:
        """Something of the alert may have reached her, or she has shown that she knows of it."""
        if self.seen_at is not None or self.answered_at is not None:
            return True
        return any(note.purpose == "alert" and not note.unsent for note in self.notes)

    def notes_of_message(self) -> tuple[Note, ...]:
        return tuple(note for note in self.notes if note.message == self.message)


class Incident(msgspec.Struct, frozen=True):
    """One incident as its events tell it. ``seq`` is the number of events, ``at`` the time of the last."""

    seq: int
    at: int
    reference: str
    kind: str
    priority: int
    setting: e.Setting
    drill: bool
    hazard: e.Hazard
    policy: str
    called_at: int
    opened_at: int
    ambulance_due_at: int | None
    ambulance_arrived_at: int | None = None
    state: str = "open"
    held_for: tuple[e.Hold, ...] = ()
    era: int = 1
    more: int = 0
    more_after_n: int = 0
    enough: bool = False
    covered: bool = False
    exhausted: bool = False
    waves: int = 0
    alerts: tuple[Alert, ...] = ()
    wave_clock_ms: int = 0
    wave_since: int | None = None
    more_clock_ms: int | None = None
    open_clock_ms: int = 0
    open_since: int | None = None
    human_at: int = 0
    ended_at: int | None = None

    @property
    def live(self) -> bool:
        return self.state in ("open", "held")

    @property
    def paused(self) -> bool:
        return "paused" in self.held_for

    @property
    def enough_said(self) -> bool:
        """Nobody more is wanted: said so, or the ambulance is there."""
        return self.enough or self.ambulance_arrived_at is not None

    @property
    def asking(self) -> bool:
        """Open, not covered, nobody said enough: the waves' clock runs, and medics may be asked."""
        return self.state == "open" and not self.covered and not self.enough_said

    def wave_clock(self, at: int) -> int:
        return self.wave_clock_ms + (at - self.wave_since if self.wave_since is not None else 0)

    def open_clock(self, at: int) -> int:
        return self.open_clock_ms + (at - self.open_since if self.open_since is not None else 0)

    def alert(self, n: int) -> Alert:
        """Alert ``n``; LookupError where there is none."""
        if not 1 <= n <= len(self.alerts):
            raise LookupError(f"no alert {n}")
        return self.alerts[n - 1]

    def newest_of(self, n: int) -> Alert:
        """The newest alert of the medic whom alert ``n`` asked."""
        first = self.alert(n).first
        return next(alert for alert in reversed(self.alerts) if alert.first == first)

    def current(self) -> list[Alert]:
        """The alerts that still count for anything: those since opening or the last reopen."""
        return [alert for alert in self.alerts if alert.era == self.era]


def is_on_the_way(alert: Alert) -> bool:
    """Accepted or arrived and not overdue; who was there goes on counting after she finished."""
    if alert.overdue:
        return False
    return alert.engaged or (alert.state == "finished" and alert.arrived_at is not None)


def on_the_way(state: Incident) -> list[Alert]:
    """The alerts since opening or the last reopen whose medics are coming, or came."""
    return [alert for alert in state.alerts if alert.era == state.era and is_on_the_way(alert)]


def expected_at(alert: Alert) -> float:
    """When a medic on the way is expected, in ms; nobody beats one who has arrived."""
    return float("-inf") if alert.arrived_at is not None else alert.eta_at + alert.eta_s * 1000


def best_expected_at(state: Incident) -> float | None:
    """The earliest expected arrival of those on the way, in ms; None while nobody is."""
    return min((expected_at(alert) for alert in on_the_way(state)), default=None)


def wanted(state: Incident, policy: Policy) -> int:
    return policy.wanted + state.more


def alerting_state(state: Incident) -> str:
    """The contract's ``alerting.state``."""
    if not state.live or (state.enough_said and state.state == "open"):
        return "ended"
    if state.state == "held":
        return "held"
    if state.covered:
        return "covered"
    return "exhausted" if state.exhausted else "active"


def evolve(state: Incident | None, event: e.Event) -> Incident:
    """The state after ``event``. Raises ValueError on an event that can not follow (a broken history)."""
    if isinstance(event, e.IncidentOpened):
        if state is not None:
            raise ValueError("an incident opens once")
        return _opened(event)
    if state is None:
        raise ValueError(f"{e.type_of(event)} before IncidentOpened")
    state = _CHANGES[type(event)](state, event)
    human = event.at if event.by in ("control_room", "medic") else state.human_at
    return _clocks(replace(state, seq=state.seq + 1, at=event.at, human_at=human), event.at)


def evolve_all(state: Incident | None, happened: tuple[e.Event, ...] | list[e.Event]) -> Incident:
    """Replays events in order; at least one, or a state, is needed."""
    for event in happened:
        state = evolve(state, event)
    if state is None:
        raise ValueError("no events")
    return state


def _opened(event: e.IncidentOpened) -> Incident:
    state = Incident(
        seq=1,
        at=event.at,
        reference=event.reference,
        kind=event.kind,
        priority=event.priority,
        setting=event.setting,
        drill=event.drill,
        hazard=event.hazard,
        policy=event.policy,
        called_at=event.called_at,
        opened_at=event.at,
        ambulance_due_at=event.ambulance_due_at,
        human_at=event.at,
    )
    return _clocks(state, event.at)


def _clocks(state: Incident, at: int) -> Incident:
    """Starts and stops the two clocks as the state now wants."""
    changes: dict[str, Any] = {}
    if state.asking != (state.wave_since is not None):
        changes["wave_clock_ms"] = state.wave_clock(at)
        changes["wave_since"] = at if state.asking else None
    is_open = state.state == "open"
    if is_open != (state.open_since is not None):
        changes["open_clock_ms"] = state.open_clock(at)
        changes["open_since"] = at if is_open else None
    return replace(state, **changes) if changes else state


def _with(state: Incident, alert: Alert) -> Incident:
    i = alert.n - 1
    return replace(state, alerts=(*state.alerts[:i], alert, *state.alerts[i + 1 :]))


def _told(state: Incident, purpose: e.Purpose, at: int, whom: Callable[[Alert], bool]) -> Incident:
    """A new message is owed to each of ``whom``; it replaces an earlier one."""
    alerts = tuple(
        replace(a, message=a.message + 1, told=purpose, told_at=at) if whom(a) else a for a in state.alerts
    )
    return replace(state, alerts=alerts)


VISIBLE = frozenset({"kind", "position", "address", "directions"})
"""What a medic is shown of an incident: a change of any is an update for all who are still alerted."""


def _updated(state: Incident, event: e.IncidentUpdated) -> Incident:
    changes: dict[str, Any] = {
        name: value
        for name in ("kind", "policy", "priority", "setting", "hazard")
        if (value := getattr(event, name)) is not None
    }
    for name in ("ambulance_due_at", "ambulance_arrived_at"):
        if name in event.fields:
            changes[name] = getattr(event, name)
    state = replace(state, **changes) if changes else state
    if VISIBLE & set(event.fields):
        state = _told(state, "update", event.at, lambda a: a.state in LIVE and a.may_know)
    return state


def _held(state: Incident, event: e.IncidentHeld) -> Incident:
    was_open = state.state == "open"
    state = replace(state, held_for=event.reasons, state="held" if state.live else state.state)
    return _told(state, "update", event.at, lambda a: a.engaged) if was_open else state


def _released(state: Incident, event: e.IncidentReleased) -> Incident:
    if not state.live:
        return replace(state, held_for=())
    state = replace(state, held_for=(), state="open")
    return _told(state, "update", event.at, lambda a: a.engaged)


def _more(state: Incident, event: e.MoreRequested) -> Incident:
    return replace(
        state,
        more=state.more + event.count,
        more_after_n=len(state.alerts),
        more_clock_ms=state.wave_clock(event.at),
        enough=False,
        ambulance_arrived_at=None,
        exhausted=False,
    )


def _enough(state: Incident, _: e.EnoughSaid) -> Incident:
    return replace(state, enough=True)


def _wave(state: Incident, event: e.WaveDecided) -> Incident:
    return replace(state, waves=event.wave)


def _requested(state: Incident, event: e.AlertRequested) -> Incident:
    if event.n != len(state.alerts) + 1:
        raise ValueError(f"alert {event.n} does not follow {len(state.alerts)}")
    alert = Alert(
        n=event.n,
        first=event.first,
        era=state.era,
        role=event.role,
        wave=event.wave,
        eta_s=event.eta_s,
        requested_at=event.at,
        expires_at=event.expires_at,
        told_at=event.at,
    )
    return replace(state, alerts=(*state.alerts, alert), exhausted=False)


def _note(state: Incident, n: int, note: Note) -> Incident:
    alert = state.alert(n)
    if all(old.k != note.k for old in alert.notes):
        return _with(state, replace(alert, notes=(*alert.notes, note)))
    notes = tuple(note if old.k == note.k else old for old in alert.notes)
    return _with(state, replace(alert, notes=notes))


def _notification_requested(state: Incident, event: e.NotificationRequested) -> Incident:
    alert = state.alert(event.n)
    message = 1 if event.purpose == "alert" else alert.message
    return _note(state, event.n, Note(event.k, event.channel, event.purpose, message, "requested", event.at))


def _notification_settled(state: Incident, event: Any, now: str, definite: bool = False) -> Incident:
    alert = state.alert(event.n)
    old = next((note for note in alert.notes if note.k == event.k), None)
    if old is None:
        message = 1 if event.purpose == "alert" else alert.message
        old = Note(event.k, event.channel, event.purpose, message, now, event.at)
    state = _note(state, event.n, replace(old, state=now, definite=definite))
    if now == "sent" and event.purpose == "alert" and state.alert(event.n).state == "requested":
        state = _with(state, replace(state.alert(event.n), state="sent"))
    return state


def _notification_sent(state: Incident, event: e.NotificationSent) -> Incident:
    return _notification_settled(state, event, "sent")


def _notification_delivered(state: Incident, event: e.NotificationDelivered) -> Incident:
    return _notification_settled(state, event, "delivered")


def _notification_failed(state: Incident, event: e.NotificationFailed) -> Incident:
    return _notification_settled(state, event, "failed", event.definite)


def _alert_delivered(state: Incident, event: e.AlertDelivered) -> Incident:
    alert = state.alert(event.n)
    at = alert.delivered_at if alert.delivered_at is not None else event.at
    now = _lifted(alert.state, "delivered")
    channel = alert.channel or event.channel
    return _with(state, replace(alert, delivered_at=at, state=now, channel=channel))


def _alert_seen(state: Incident, event: e.AlertSeen) -> Incident:
    alert = state.alert(event.n)
    at = alert.seen_at if alert.seen_at is not None else event.at
    now = _lifted(alert.state, "seen")
    delivered = alert.delivered_at if alert.delivered_at is not None else event.at
    return _with(
        state,
        replace(
            alert,
            seen_at=at,
            delivered_at=delivered,
            state=now,
            channel=alert.channel or event.channel,
        ),
    )


def _lifted(state: str, receipt: str) -> str:
    """An open alert takes the higher of both; an ended one keeps its state."""
    cell = ALERT[state][receipt]
    return cell.states[0] if isinstance(cell, Next) and cell.states else state


def _answered(state: Incident, event: e.AlertAnswered) -> Incident:
    alert = state.alert(event.n)
    if event.answer == "unsafe":
        return state
    cell = ALERT[alert.state][event.answer]
    if not isinstance(cell, Next):
        raise ValueError(f"{event.answer} can not follow {alert.state}")
    now = cell.states[0] if cell.states else alert.state
    changes: dict[str, Any] = {"state": now, "answered_at": event.at}
    if event.channel is not None:
        changes["channel"] = event.channel
    if now in ON_ANSWER:
        changes |= {"era": state.era, "overdue": False, "reason": None, "counts": True, "expired_at": None}
    if now == "accepted":
        # Whoever comes anew is not there yet, though she may have been before.
        changes |= {"accepted_at": event.at, "arrived_at": None}
        changes |= _eta_from(state, event.eta_s, event.at, alert)
    if now == "arrived":
        changes["arrived_at"] = event.at
    if now == "finished" and event.by != "timer" and alert.arrived_at is None:
        changes |= {"arrived_at": event.at, "overdue": False}
    return _with(state, replace(alert, **changes))


def _eta_from(state: Incident, eta_s: int | None, at: int, alert: Alert) -> dict[str, Any]:
    return {
        "eta_s": alert.eta_s if eta_s is None else eta_s,
        "eta_at": at,
        "eta_clock_ms": state.open_clock(at),
    }


def _moved(state: Incident, event: e.AlertMoved) -> Incident:
    alert = state.alert(event.n)
    return _with(
        state,
        replace(alert, counts=event.counts, overdue=False, **_eta_from(state, event.eta_s, event.at, alert)),
    )


def _overdue(state: Incident, event: e.AlertOverdue) -> Incident:
    return _with(state, replace(state.alert(event.n), overdue=True))


def _expired(state: Incident, event: e.AlertExpired) -> Incident:
    return _with(state, replace(state.alert(event.n), state="expired", expired_at=event.at))


def _failed(state: Incident, event: e.AlertFailed) -> Incident:
    return _with(state, replace(state.alert(event.n), state="failed", expired_at=event.at))


def _stood_down(state: Incident, event: e.AlertStoodDown) -> Incident:
    alert = state.alert(event.n)
    told: dict[str, Any] = {"message": alert.message + 1, "told": "stand_down", "told_at": event.at}
    return _with(state, replace(alert, state="stood_down", reason=event.reason, **told))


def _covered(state: Incident, _: e.IncidentCovered) -> Incident:
    return replace(state, covered=True, exhausted=False)


def _uncovered(state: Incident, _: e.IncidentUncovered) -> Incident:
    return replace(state, covered=False)


def _nobody(state: Incident, _: e.NobodyFound) -> Incident:
    return replace(state, exhausted=True)


def _closed(state: Incident, event: e.IncidentClosed) -> Incident:
    return replace(state, state="closed", ended_at=event.at)


def _cancelled(state: Incident, event: e.IncidentCancelled) -> Incident:
    return replace(state, state="cancelled", ended_at=event.at)


def _reopened(state: Incident, _: e.IncidentReopened) -> Incident:
    return replace(
        state,
        state="open",
        held_for=(),
        ended_at=None,
        era=state.era + 1,
        more=0,
        more_after_n=0,
        enough=False,
        ambulance_arrived_at=None,
        covered=False,
        exhausted=False,
        wave_clock_ms=0,
        wave_since=None,
        more_clock_ms=None,
    )


_CHANGES: dict[type[e.Event], Callable[[Incident, Any], Incident]] = {
    e.IncidentUpdated: _updated,
    e.IncidentHeld: _held,
    e.IncidentReleased: _released,
    e.MoreRequested: _more,
    e.EnoughSaid: _enough,
    e.WaveDecided: _wave,
    e.AlertRequested: _requested,
    e.NotificationRequested: _notification_requested,
    e.NotificationSent: _notification_sent,
    e.NotificationDelivered: _notification_delivered,
    e.NotificationFailed: _notification_failed,
    e.AlertDelivered: _alert_delivered,
    e.AlertSeen: _alert_seen,
    e.AlertAnswered: _answered,
    e.TextNotUnderstood: lambda state, _: state,
    e.AlertMoved: _moved,
    e.AlertOverdue: _overdue,
    e.AlertExpired: _expired,
    e.AlertFailed: _failed,
    e.AlertStoodDown: _stood_down,
    e.IncidentCovered: _covered,
    e.IncidentUncovered: _uncovered,
    e.NobodyFound: _nobody,
    e.IncidentClosed: _closed,
    e.IncidentCancelled: _cancelled,
    e.IncidentReopened: _reopened,
}
