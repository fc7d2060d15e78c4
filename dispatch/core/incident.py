"""An incident's state: what its events have told. `evolve.py` says how each event changes it.

The state holds nothing but what events said, so that replaying them gives it again. Two clocks stand still
at times: the waves' clock runs only while somebody may be asked, the open clock only while not held.
A state that was given out is never changed: ``evolve`` and ``decide`` change a copy of their own, in place,
for that is what makes them fast. All times are integer milliseconds, durations end in ``_ms``.
"""

import msgspec

from dispatch.core import events as e
from dispatch.core.lifecycle import INCIDENT_LIVES, ON_ANSWER, OPEN
from dispatch.core.policy import Policy

CAME = (*ON_ANSWER, "finished")
"""The states of who may be on the way."""


class Note(msgspec.Struct, frozen=True, gc=False):
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


class Alert(msgspec.Struct, gc=False):
    """One request to one medic. ``first`` groups the alerts of one medic; ``era`` counts reopenings.

    ``arrived_at`` is also set by her own ``finished``, which says that she was there.
    ``message`` numbers what she was last told (1 is the alert itself), ``told`` is its purpose; ``heard`` is
    the number of the last message that a device of hers is known to have. ``eta_at`` and ``eta_clock_ms``
    say when, on the wall and on the open clock, ``eta_s`` began to run.
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
    heard: int = 0
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
        """Something of the alert may have reached her, or she has shown that she knows of it.

        Whose notifications all failed may have read it from the service: then she is told to stop.
        """
        if self.seen_at is not None or self.answered_at is not None:
            return True
        return any(note.purpose == "stand_down" or not note.unsent for note in self.notes)

    def note(self, k: int) -> Note | None:
        """Notification ``k``; None where there is none."""
        for note in self.notes:
            if note.k == k:
                return note
        return None


class Incident(msgspec.Struct, gc=False):
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
    alerts: list[Alert] = []
    wave_clock_ms: int = 0
    wave_since: int | None = None
    more_clock_ms: int | None = None
    open_clock_ms: int = 0
    open_since: int | None = None
    human_at: int = 0
    ended_at: int | None = None

    @property
    def live(self) -> bool:
        return self.state in INCIDENT_LIVES

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
        newest = self.alert(n)
        for alert in self.alerts[n:]:
            if alert.first == newest.first:
                newest = alert
        return newest

    def current(self) -> list[Alert]:
        """The alerts that still count for anything: those since opening or the last reopen."""
        return [alert for alert in self.alerts if alert.era == self.era]


def copy_of(state: Incident) -> Incident:
    """A copy to be changed, with a list of alerts of its own; the alerts themselves are shared still."""
    work: Incident = state.__copy__()  # type: ignore[attr-defined]
    work.alerts = state.alerts.copy()
    return work


def is_on_the_way(alert: Alert) -> bool:
    """Accepted or arrived and not overdue; who was there goes on counting after she finished."""
    if alert.state in ON_ANSWER:
        return not alert.overdue
    return alert.state == "finished" and alert.arrived_at is not None and not alert.overdue


def on_the_way(state: Incident) -> list[Alert]:
    """The alerts since opening or the last reopen whose medics are coming, or came."""
    era = state.era
    return [
        alert for alert in state.alerts if alert.state in CAME and alert.era == era and is_on_the_way(alert)
    ]


_LONG_SINCE = float("-inf")


def expected_at(alert: Alert) -> float:
    """When a medic on the way is expected, in ms; nobody beats one who has arrived."""
    return _LONG_SINCE if alert.arrived_at is not None else alert.eta_at + alert.eta_s * 1000


def best_expected_at(state: Incident) -> float | None:
    """The earliest expected arrival of those on the way, in ms; None while nobody is."""
    return min([expected_at(alert) for alert in on_the_way(state)], default=None)


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
