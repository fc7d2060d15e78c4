"""What each event about an alert, or about one of its notifications, does to the incident's state.

``work`` is a copy of the incident that nobody else has; its alerts may still be shared with other states, so
each is copied before it is changed.
"""

from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.incident import Alert, Incident, Note
from dispatch.core.lifecycle import ALERT, ON_ANSWER, Next


def own(work: Incident, n: int) -> Alert:
    """Alert ``n`` as a copy to be changed, in its place. LookupError where there is none."""
    alert: Alert = work.alert(n).__copy__()  # type: ignore[attr-defined]
    work.alerts[n - 1] = alert
    return alert


def requested(work: Incident, event: e.AlertRequested) -> None:
    if event.n != len(work.alerts) + 1:
        raise ValueError(f"alert {event.n} does not follow {len(work.alerts)}")
    work.alerts.append(
        Alert(
            n=event.n,
            first=event.first,
            era=work.era,
            role=event.role,
            wave=event.wave,
            eta_s=event.eta_s,
            requested_at=event.at,
            expires_at=event.expires_at,
            told_at=event.at,
        )
    )
    work.exhausted = False


def _take_note(alert: Alert, note: Note) -> None:
    for i, old in enumerate(alert.notes):
        if old.k == note.k:
            alert.notes = (*alert.notes[:i], note, *alert.notes[i + 1 :])
            return
    alert.notes = (*alert.notes, note)


def notification_requested(work: Incident, event: e.NotificationRequested) -> None:
    alert = own(work, event.n)
    message = 1 if event.purpose == "alert" else alert.message
    _take_note(alert, Note(event.k, event.channel, event.purpose, message, "requested", event.at))


def _settled(work: Incident, event: Any, now: str, definite: bool = False) -> None:
    alert = own(work, event.n)
    old = alert.note(event.k)
    if old is None:
        message = 1 if event.purpose == "alert" else alert.message
        old = Note(event.k, event.channel, event.purpose, message, now, event.at)
    _take_note(alert, replace(old, state=now, definite=definite))
    if now == "delivered":
        alert.heard = max(alert.heard, old.message)
    if now == "sent" and event.purpose == "alert" and alert.state == "requested":
        alert.state = "sent"


def notification_sent(work: Incident, event: e.NotificationSent) -> None:
    _settled(work, event, "sent")


def notification_delivered(work: Incident, event: e.NotificationDelivered) -> None:
    _settled(work, event, "delivered")


def notification_failed(work: Incident, event: e.NotificationFailed) -> None:
    _settled(work, event, "failed", event.definite)


def alert_delivered(work: Incident, event: e.AlertDelivered) -> None:
    _receive(own(work, event.n), event.channel, "delivered", event.at)


def alert_seen(work: Incident, event: e.AlertSeen) -> None:
    alert = own(work, event.n)
    _receive(alert, event.channel, "seen", event.at)
    if alert.seen_at is None:
        alert.seen_at = event.at


def _receive(alert: Alert, channel: str, receipt: str, at: int) -> None:
    """What is seen was delivered too. An open alert takes the higher of both, an ended one stays so."""
    if alert.delivered_at is None:
        alert.delivered_at = at
    alert.channel = alert.channel or channel
    cell = ALERT[alert.state][receipt]
    if isinstance(cell, Next) and cell.states:
        alert.state = cell.states[0]


def answered(work: Incident, event: e.AlertAnswered) -> None:
    if event.answer == "unsafe":
        return
    alert = own(work, event.n)
    cell = ALERT[alert.state][event.answer]
    if not isinstance(cell, Next):
        raise ValueError(f"{event.answer} can not follow {alert.state}")
    if cell.states:
        alert.state = cell.states[0]
    alert.answered_at = event.at
    alert.channel = alert.channel if event.channel is None else event.channel
    if alert.state in ON_ANSWER:
        _engage(work, alert)
    if alert.state == "accepted":
        # Whoever comes anew is not there yet, though she may have been before.
        alert.accepted_at, alert.arrived_at = event.at, None
        _expect(work, alert, event.eta_s, event.at)
    elif alert.state == "arrived":
        alert.arrived_at = event.at
    elif alert.state == "finished" and event.by != "timer" and alert.arrived_at is None:
        alert.arrived_at, alert.overdue = event.at, False


def _engage(work: Incident, alert: Alert) -> None:
    alert.era = work.era
    alert.counts, alert.overdue = True, False
    alert.reason = alert.expired_at = None


def _expect(work: Incident, alert: Alert, eta_s: int | None, at: int) -> None:
    if eta_s is not None:
        alert.eta_s = eta_s
    alert.eta_at = at
    alert.eta_clock_ms = work.open_clock(at)


def moved(work: Incident, event: e.AlertMoved) -> None:
    alert = own(work, event.n)
    alert.counts, alert.overdue = event.counts, False
    _expect(work, alert, event.eta_s, event.at)


def overdue(work: Incident, event: e.AlertOverdue) -> None:
    own(work, event.n).overdue = True


def expired(work: Incident, event: e.AlertExpired) -> None:
    alert = own(work, event.n)
    alert.state, alert.expired_at = "expired", event.at


def failed(work: Incident, event: e.AlertFailed) -> None:
    alert = own(work, event.n)
    alert.state, alert.expired_at = "failed", event.at


def stood_down(work: Incident, event: e.AlertStoodDown) -> None:
    alert = own(work, event.n)
    alert.state, alert.reason = "stood_down", event.reason
    alert.message += 1
    alert.told, alert.told_at = "stand_down", event.at
