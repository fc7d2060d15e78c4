"""What happened to one incident, told in milliseconds since it was reported.

Three sources are put side by side: the events that the service keeps, the incident as the control room sees
it, and what the phones heard. Pure.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulations.calls import Call
from simulations.demo.virtual_medic import Heard, place_of

Event = dict[str, Any]
Json = dict[str, Any]

ENDED = frozenset({"closed", "cancelled"})


@dataclass(slots=True)
class NotificationLine:
    """One attempt over one channel."""

    channel: str
    purpose: str
    requested_ms: int
    sent_ms: int | None = None
    delivered_ms: int | None = None
    failed_ms: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class AlertLine:
    """One alert, as far as it has come."""

    n: int
    wave: int
    eta_s: int
    requested_ms: int
    role: str = "direct"
    state: str = "requested"
    medic_id: str | None = None
    distance_m: int | None = None
    received_ms: int | None = None
    delivered_ms: int | None = None
    seen_ms: int | None = None
    answers: list[tuple[str, str | None, int]] = field(default_factory=list)
    stood_down_ms: int | None = None
    stand_down_reason: str | None = None
    stand_down_received_ms: int | None = None
    notifications: dict[int, NotificationLine] = field(default_factory=dict)

    def channels(self) -> list[str]:
        """Over what she was alerted, in the order of the attempts that did not fail."""
        tried = [note for note in self.notifications.values() if note.purpose == "alert"]
        return list(dict.fromkeys(note.channel for note in tried if note.failed_ms is None))


class Timeline:
    """Grows with each event. Times are milliseconds after `posted_ms`, just before the report was sent."""

    def __init__(self, call: Call, posted_ms: int) -> None:
        self.call = call
        self.posted_ms = posted_ms
        self.place = place_of(call.lat, call.lon)
        self.incident_id: str | None = None
        self.created_ms: int | None = None
        self.state = "reported"
        self.alerts: dict[int, AlertLine] = {}
        self.covered_ms: int | None = None
        self.nobody_found_ms: int | None = None
        self._heard: list[Heard] = []

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def after_report_ms(self, at: str) -> int:
        """An RFC 3339 time as milliseconds since the report was sent."""
        return round(datetime.fromisoformat(at).timestamp() * 1000) - self.posted_ms

    def on_the_way(self) -> int:
        return sum(alert.state in ("accepted", "arrived") for alert in self.alerts.values())

    def asked_since(self, after_ms: int) -> bool:
        """Whether somebody was asked later than that."""
        return any(alert.requested_ms > after_ms for alert in self.alerts.values())

    def apply(self, event: Event) -> None:
        """One event of this incident; types that are not known change nothing."""
        at_ms = self.after_report_ms(event["at"])
        data = event["data"]
        if event["type"] == "AlertRequested":
            self.alerts[data["n"]] = AlertLine(
                data["n"], data["wave"], data["eta_s"], at_ms, data.get("role", "direct")
            )
        elif "n" in data:
            self._apply_to_alert(self.alerts[data["n"]], event["type"], data, at_ms)
        else:
            self._apply_to_incident(event, at_ms)

    def _apply_to_incident(self, event: Event, at_ms: int) -> None:
        match event["type"]:
            case "IncidentOpened":
                self.incident_id, self.state = event["incident_id"], "open"
            case "IncidentHeld":
                self.state = "held"
            case "IncidentReleased" | "IncidentReopened":
                self.state = "open"
            case "IncidentClosed":
                self.state = "closed"
            case "IncidentCancelled":
                self.state = "cancelled"
            case "IncidentCovered":
                self.covered_ms = at_ms
            case "IncidentUncovered":
                self.covered_ms = None
            case "NobodyFound":
                self.nobody_found_ms = at_ms

    def _apply_to_alert(self, alert: AlertLine, kind: str, data: Json, at_ms: int) -> None:
        if kind.startswith("Notification"):
            self._apply_to_notification(alert, kind, data, at_ms)
            return
        match kind:
            case "AlertDelivered":
                alert.delivered_ms = alert.delivered_ms or at_ms
                alert.state = "delivered" if alert.state in ("requested", "sent") else alert.state
            case "AlertSeen":
                alert.seen_ms = at_ms
                alert.state = "seen" if alert.state in ("requested", "sent", "delivered") else alert.state
            case "AlertAnswered":
                alert.answers.append((data["answer"], data["channel"], at_ms))
                alert.state = _STATE_AFTER.get(data["answer"], alert.state)
            case "AlertStoodDown":
                alert.state = "stood_down"
                alert.stood_down_ms, alert.stand_down_reason = at_ms, data["reason"]
            case "AlertExpired" | "AlertFailed":
                alert.state = kind.removeprefix("Alert").lower()
            case "AlertMoved":
                alert.eta_s = data["eta_s"]

    def _apply_to_notification(self, alert: AlertLine, kind: str, data: Json, at_ms: int) -> None:
        """A rung that cannot even be tried fails without having been requested."""
        note = alert.notifications.setdefault(
            data["k"], NotificationLine(data["channel"], data["purpose"], at_ms)
        )
        match kind:
            case "NotificationSent":
                note.sent_ms = at_ms
                alert.state = "sent" if alert.state == "requested" else alert.state
            case "NotificationDelivered":
                note.delivered_ms = at_ms
            case "NotificationFailed":
                note.failed_ms, note.reason = at_ms, data.get("reason")

    def identify(self, incident: Json) -> None:
        """Take over who each alert went to, which events do not tell."""
        for told in incident["alerts"]:
            alert = self.alerts.get(told["n"])
            if alert is not None:
                alert.medic_id, alert.distance_m = told["medic_id"], told["distance_m"]
        for heard in self._heard:
            self._match(heard)

    def hear(self, heard: Heard) -> None:
        """Something reached a phone for this incident's place, at most a few per alert."""
        self._heard.append(heard)
        self._match(heard)

    def _match(self, heard: Heard) -> None:
        """Put it down to the medic's latest alert that had been requested by then."""
        after_ms = heard.at_ms - self.posted_ms
        hers = [alert for alert in self.alerts.values() if alert.medic_id == heard.medic_id]
        for alert in [alert for alert in hers if alert.requested_ms <= after_ms][-1:]:
            if heard.purpose == "alert" and alert.received_ms is None:
                alert.received_ms = after_ms
            elif heard.purpose == "stand_down" and alert.stand_down_received_ms is None:
                alert.stand_down_received_ms = after_ms

    def by_eta(self) -> list[AlertLine]:
        return sorted(self.alerts.values(), key=lambda alert: (alert.eta_s, alert.n))


_STATE_AFTER = {"accept": "accepted", "decline": "declined", "arrived": "arrived", "finished": "finished"}
