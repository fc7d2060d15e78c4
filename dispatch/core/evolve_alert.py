"""What each event about an alert, or about one of its notifications, does to the incident's state."""

from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.incident import Alert, Incident, Note
from dispatch.core.lifecycle import ALERT, ON_ANSWER, Next


def _with(state: Incident, alert: Alert) -> Incident:
    i = alert.n - 1
    return replace(state, alerts=(*state.alerts[:i], alert, *state.alerts[i + 1 :]))


def requested(state: Incident, event: e.AlertRequested) -> Incident:
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


def notification_requested(state: Incident, event: e.NotificationRequested) -> Incident:
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


def notification_sent(state: Incident, event: e.NotificationSent) -> Incident:
    return _notification_settled(state, event, "sent")


def notification_delivered(state: Incident, event: e.NotificationDelivered) -> Incident:
    return _notification_settled(state, event, "delivered")


def notification_failed(state: Incident, event: e.NotificationFailed) -> Incident:
    return _notification_settled(state, event, "failed", event.definite)


def alert_delivered(state: Incident, event: e.AlertDelivered) -> Incident:
    alert = state.alert(event.n)
    at = alert.delivered_at if alert.delivered_at is not None else event.at
    now = _lifted(alert.state, "delivered")
    channel = alert.channel or event.channel
    return _with(state, replace(alert, delivered_at=at, state=now, channel=channel))


def alert_seen(state: Incident, event: e.AlertSeen) -> Incident:
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


def answered(state: Incident, event: e.AlertAnswered) -> Incident:
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


def moved(state: Incident, event: e.AlertMoved) -> Incident:
    alert = state.alert(event.n)
    return _with(
        state,
        replace(alert, counts=event.counts, overdue=False, **_eta_from(state, event.eta_s, event.at, alert)),
    )


def overdue(state: Incident, event: e.AlertOverdue) -> Incident:
    return _with(state, replace(state.alert(event.n), overdue=True))


def expired(state: Incident, event: e.AlertExpired) -> Incident:
    return _with(state, replace(state.alert(event.n), state="expired", expired_at=event.at))


def failed(state: Incident, event: e.AlertFailed) -> Incident:
    return _with(state, replace(state.alert(event.n), state="failed", expired_at=event.at))


def stood_down(state: Incident, event: e.AlertStoodDown) -> Incident:
    alert = state.alert(event.n)
    told: dict[str, Any] = {"message": alert.message + 1, "told": "stand_down", "told_at": event.at}
    return _with(state, replace(alert, state="stood_down", reason=event.reason, **told))
