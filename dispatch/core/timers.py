"""What time alone makes due, and when an incident next needs a decision."""

from dispatch.core import events as e
from dispatch.core.commands import Update
from dispatch.core.draft import Draft
from dispatch.core.incident import Alert, Incident
from dispatch.core.lifecycle import ON_ANSWER, OPEN
from dispatch.core.policy import Policy
from dispatch.core.stand_down import stop
from dispatch.core.waves import is_lost


def overdue_clock_ms(alert: Alert, policy: Policy) -> int:
    """When, on the open clock, an accepted medic who has not arrived is overdue."""
    grace_s = max(policy.overdue_s_min, policy.overdue_factor * alert.eta_s)
    return alert.eta_clock_ms + round(grace_s * 1000)


def lapse_at(alert: Alert, policy: Policy) -> int:
    """When an accepted or arrived medic is finished without a word: anew from arrival."""
    since = alert.arrived_at if alert.arrived_at is not None else alert.accepted_at
    return (since if since is not None else alert.requested_at) + policy.engaged_s_max * 1000


def auto_close_at(state: Incident, policy: Policy) -> int:
    """When a live incident closes by itself, while nobody is accepted or arrived."""
    return state.human_at + policy.auto_close_s * 1000


def do_due(draft: Draft, quiet_until: float) -> None:
    """Does what the decision's time has made due, but for waves and rungs, which come in their turn.

    ``quiet_until``: before then nothing is, by the policy that the incident has had.
    """
    at = draft.at
    if not draft.state.live or (at < quiet_until and not _takes_another_policy(draft)):
        return
    for alert in draft.state.alerts:
        if alert.state in OPEN:
            if alert.expires_at <= at:
                _time_out(draft, alert)
        elif alert.state in ON_ANSWER:
            _engaged_due(draft, alert)
    if auto_close_at(draft.state, draft.policy) > at or _takes_another_policy(draft):
        return
    if not any(alert.engaged for alert in draft.state.alerts):
        close(draft, by="timer")


def _takes_another_policy(draft: Draft) -> bool:
    """Whether the command brings a new kind, whose patience does not count for the time before it."""
    return isinstance(draft.command, Update) and draft.command.kind is not None


def _engaged_due(draft: Draft, alert: Alert) -> None:
    if lapse_at(alert, draft.policy) <= draft.at:
        draft.emit(e.AlertAnswered, by="timer", n=alert.n, answer="finished", channel=None)
    elif _may_be_overdue(draft.state, alert) and overdue_clock_ms(
        alert, draft.policy
    ) <= draft.state.open_clock(draft.at):
        draft.emit(e.AlertOverdue, by="timer", n=alert.n)


def _may_be_overdue(state: Incident, alert: Alert) -> bool:
    return alert.state == "accepted" and not alert.overdue and state.state == "open"


def _time_out(draft: Draft, alert: Alert) -> None:
    if is_lost(alert, draft.policy):
        draft.emit(e.AlertFailed, by="timer", n=alert.n)
    elif draft.state.covered:
        draft.emit(e.AlertStoodDown, by="timer", n=alert.n, reason="covered")
    else:
        draft.emit(e.AlertExpired, by="timer", n=alert.n)


def close(draft: Draft, *, by: e.By | None = None) -> None:
    """Ends the incident: who arrived is finished, everybody else who was told to come is told to stop."""
    for alert in draft.state.alerts:
        if alert.state == "arrived":
            draft.emit(e.AlertAnswered, by=by, n=alert.n, answer="finished", channel=None)
    draft.emit(e.IncidentClosed, by=by)
    stop(draft, "closed")


def due_at(draft: Draft) -> int | None:
    """When the next tick is owed, always after the decision's own time; None: never."""
    at = draft.at
    times = _life_times(draft.state, draft.policy, at) if draft.state.live else []
    if draft.state.asking:
        times += _look_times(draft)
    if draft.rung_at is not None:
        times.append(draft.rung_at)
    return min([time for time in times if time > at], default=None)


def _life_times(state: Incident, policy: Policy, at: int) -> list[int]:
    times, engaged = [], False
    for alert in state.alerts:
        if alert.state in OPEN:
            times.append(alert.expires_at)
        elif alert.state in ON_ANSWER:
            engaged = True
            times.append(lapse_at(alert, policy))
            if _may_be_overdue(state, alert):
                times.append(at + overdue_clock_ms(alert, policy) - state.open_clock(at))
    if not engaged:
        # Long past where somebody was engaged until this very decision.
        times.append(max(auto_close_at(state, policy), at + 1))
    return times


def _look_times(draft: Draft) -> list[int]:
    """The next wave, and while somebody is missing the next look at the roster."""
    state, policy, at = draft.state, draft.policy, draft.at
    clock = state.wave_clock(at)
    times = [at + wave.after_s * 1000 - clock for wave in policy.waves if wave.after_s * 1000 > clock]
    if draft.missing and clock + policy.look_again_s * 1000 <= _look_until_ms(state, policy):
        times.append(at + policy.look_again_s * 1000)
    return times


def _look_until_ms(state: Incident, policy: Policy) -> int:
    """Until when, on the waves' clock, the roster is looked at again; ``more`` gives half of it anew."""
    until = policy.look_s_max * 1000
    if state.more_clock_ms is None:
        return until
    return max(until, state.more_clock_ms + until // 2)
