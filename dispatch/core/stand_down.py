"""Who is told to stop, and holding: the rules that take an alert back."""

from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.incident import Alert, best_expected_at
from dispatch.core.lifecycle import ALERT, STAND_DOWN_COLUMN, Next


def stop(draft: Draft, reason: e.StandDown, *, column: str | None = None) -> None:
    """Stands down every alert that the lifecycle table says such a cause ends."""
    column = column or STAND_DOWN_COLUMN[reason]
    for alert in draft.state.alerts:
        if ends(alert, column):
            draft.emit(e.AlertStoodDown, n=alert.n, reason=reason)


def ends(alert: Alert, column: str) -> bool:
    """Whether this alert is stood down by a cause of ``column``; an expired one only if it was delivered."""
    cell = ALERT[alert.state][column]
    if not isinstance(cell, Next) or "stood_down" not in cell.states:
        return False
    return alert.state != "expired" or alert.delivered_at is not None


def judge(draft: Draft) -> None:
    """Covered: stands down who could not beat the best expected arrival by ``better_by_s``."""
    for alert in draft.state.alerts:
        if ends(alert, STAND_DOWN_COLUMN["covered"]) and not beats_best(draft, alert.eta_s):
            draft.emit(e.AlertStoodDown, n=alert.n, reason="covered")


def beats_best(draft: Draft, eta_s: int) -> bool:
    """Whether one who sets out now is ``better_by_s`` earlier than the best on the way (False: nobody is)."""
    best = best_expected_at(draft.state)
    return best is not None and draft.at + (eta_s + draft.policy.better_by_s) * 1000 <= best


def hold(draft: Draft, *, add: tuple[e.Hold, ...] = (), drop: tuple[e.Hold, ...] = ()) -> None:
    """Adds and drops reasons to hold; holding stands down, releasing lets the shortfall be asked afresh."""
    before = draft.state.held_for
    kept = tuple(reason for reason in before if reason not in drop)
    after = kept + tuple(reason for reason in add if reason not in kept)
    if after == before:
        return
    if not after:
        draft.emit(e.IncidentReleased)
        return
    draft.emit(e.IncidentHeld, reasons=after)
    if draft.state.live:
        _take_back(draft, tuple(reason for reason in after if reason not in before))


def _take_back(draft: Draft, added: tuple[e.Hold, ...]) -> None:
    if not added:
        return
    reason: e.StandDown = "changed" if "code" in added else "unsafe"
    if "code" in added or ("hazard" in added and draft.state.hazard == "block"):
        call_back(draft, reason)
    stop(draft, reason, column="hold, unsafe")


def call_back(draft: Draft, reason: e.StandDown) -> None:
    """Hazard ``block`` and ``code`` stand down the accepted and arrived too.

    Said while it is held for them already, they call back who came all the same, or was only to wait.
    """
    stop(draft, reason, column="block, code")
