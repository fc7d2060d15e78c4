"""How each event changes an incident: ``evolve(state, event) -> state``.

Pure, like everything here: a new state is given, and what did not change is shared with the old one.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core import evolve_alert as alert
from dispatch.core.incident import Alert, Incident
from dispatch.core.lifecycle import LIVE


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
    state = replace(state, seq=state.seq + 1, at=event.at, human_at=human)
    return _clocks(state, event.at) if type(event) in _OF_THE_INCIDENT else state


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
    e.AlertRequested: alert.requested,
    e.NotificationRequested: alert.notification_requested,
    e.NotificationSent: alert.notification_sent,
    e.NotificationDelivered: alert.notification_delivered,
    e.NotificationFailed: alert.notification_failed,
    e.AlertDelivered: alert.alert_delivered,
    e.AlertSeen: alert.alert_seen,
    e.AlertAnswered: alert.answered,
    e.TextNotUnderstood: lambda state, _: state,
    e.AlertMoved: alert.moved,
    e.AlertOverdue: alert.overdue,
    e.AlertExpired: alert.expired,
    e.AlertFailed: alert.failed,
    e.AlertStoodDown: alert.stood_down,
    e.IncidentCovered: _covered,
    e.IncidentUncovered: _uncovered,
    e.NobodyFound: _nobody,
    e.IncidentClosed: _closed,
    e.IncidentCancelled: _cancelled,
    e.IncidentReopened: _reopened,
}

_OF_THE_INCIDENT = frozenset(
    {
        e.IncidentUpdated,
        e.IncidentHeld,
        e.IncidentReleased,
        e.MoreRequested,
        e.EnoughSaid,
        e.IncidentCovered,
        e.IncidentUncovered,
        e.IncidentClosed,
        e.IncidentCancelled,
        e.IncidentReopened,
    }
)
"""Events after which the clocks may run otherwise: what happens to an alert alone moves none."""
