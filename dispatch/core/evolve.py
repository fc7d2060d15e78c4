"""How each event changes an incident: ``evolve(state, event) -> state``.

Pure: a new state is given, and the old one stays as it was. Within, a copy is changed in place by ``apply``,
so that a decision of forty events, or a replay of a hundred, makes one new incident and not one an event.
"""

from collections.abc import Callable, Iterable
from typing import Any

from dispatch.core import events as e
from dispatch.core import evolve_alert as alert
from dispatch.core.incident import Alert, Incident, copy_of
from dispatch.core.lifecycle import LIVE


def evolve(state: Incident | None, event: e.Event) -> Incident:
    """The state after ``event``. Raises ValueError on an event that can not follow (a broken history)."""
    return evolve_all(state, (event,))


def evolve_all(state: Incident | None, happened: Iterable[e.Event]) -> Incident:
    """Replays events in order; at least one, or a state, is needed."""
    work = None if state is None else copy_of(state)
    for event in happened:
        if work is None:
            work = opened(event)
        else:
            apply(work, event)
    if work is None:
        raise ValueError("no events")
    return work


def apply(work: Incident, event: e.Event) -> None:
    """Changes ``work``, a copy that nobody else has, by ``event``."""
    kind = type(event)
    _CHANGES[kind](work, event)
    work.seq += 1
    work.at = event.at
    if event.by in _HUMAN:
        work.human_at = event.at
    if kind in _OF_THE_INCIDENT:
        _run_clocks(work, event.at)


_HUMAN = ("control_room", "medic")


def opened(event: e.Event) -> Incident:
    """The state after an incident's first event. ValueError where it is not that."""
    if not isinstance(event, e.IncidentOpened):
        raise ValueError(f"{e.type_of(event)} before IncidentOpened")
    work = Incident(
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
    _run_clocks(work, event.at)
    return work


def _opened_again(_work: Incident, _: e.IncidentOpened) -> None:
    raise ValueError("an incident opens once")


def _run_clocks(work: Incident, at: int) -> None:
    """Starts and stops the two clocks as the state now wants."""
    asking = work.asking
    if asking != (work.wave_since is not None):
        work.wave_clock_ms = work.wave_clock(at)
        work.wave_since = at if asking else None
    is_open = work.state == "open"
    if is_open != (work.open_since is not None):
        work.open_clock_ms = work.open_clock(at)
        work.open_since = at if is_open else None


def _tell(work: Incident, purpose: e.Purpose, at: int, whom: Callable[[Alert], bool]) -> None:
    """A new message is owed to each of ``whom``; it replaces an earlier one."""
    for one in work.alerts:
        if whom(one):
            changed = alert.own(work, one.n)
            changed.message += 1
            changed.told = purpose
            changed.told_at = at


VISIBLE = frozenset({"kind", "position", "address", "directions"})
"""What a medic is shown of an incident: a change of any is an update for all who are still alerted."""


def _updated(work: Incident, event: e.IncidentUpdated) -> None:
    for name in ("kind", "policy", "priority", "setting", "hazard"):
        if (value := getattr(event, name)) is not None:
            setattr(work, name, value)
    for name in ("ambulance_due_at", "ambulance_arrived_at"):
        if name in event.fields:
            setattr(work, name, getattr(event, name))
    if VISIBLE & set(event.fields):
        _tell(work, "update", event.at, lambda a: a.state in LIVE and a.may_know)


def _held(work: Incident, event: e.IncidentHeld) -> None:
    was_open = work.state == "open"
    work.held_for = event.reasons
    if work.live:
        work.state = "held"
    if was_open:
        _tell(work, "update", event.at, lambda a: a.engaged)


def _released(work: Incident, event: e.IncidentReleased) -> None:
    work.held_for = ()
    if work.live:
        work.state = "open"
        _tell(work, "update", event.at, lambda a: a.engaged)


def _more(work: Incident, event: e.MoreRequested) -> None:
    work.more += event.count
    work.more_after_n = len(work.alerts)
    work.more_clock_ms = work.wave_clock(event.at)
    work.enough = False
    work.ambulance_arrived_at = None
    work.exhausted = False


def _enough(work: Incident, _: e.EnoughSaid) -> None:
    work.enough = True


def _wave(work: Incident, event: e.WaveDecided) -> None:
    work.waves = event.wave


def _covered(work: Incident, _: e.IncidentCovered) -> None:
    work.covered = True
    work.exhausted = False


def _uncovered(work: Incident, _: e.IncidentUncovered) -> None:
    work.covered = False


def _nobody(work: Incident, _: e.NobodyFound) -> None:
    work.exhausted = True


def _closed(work: Incident, event: e.IncidentClosed) -> None:
    work.state = "closed"
    work.ended_at = event.at


def _cancelled(work: Incident, event: e.IncidentCancelled) -> None:
    work.state = "cancelled"
    work.ended_at = event.at


def _reopened(work: Incident, _: e.IncidentReopened) -> None:
    work.state = "open"
    work.held_for = ()
    work.ended_at = None
    work.era += 1
    work.more = work.more_after_n = 0
    work.enough = work.covered = work.exhausted = False
    work.ambulance_arrived_at = None
    work.wave_clock_ms = 0
    work.wave_since = work.more_clock_ms = None


def _nothing(_work: Incident, _: e.Event) -> None:
    """Told, and without a consequence."""


_CHANGES: dict[type[e.Event], Callable[[Incident, Any], None]] = {
    e.IncidentOpened: _opened_again,
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
    e.TextNotUnderstood: _nothing,
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
