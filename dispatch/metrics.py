"""What Prometheus may ask: how fast alerts arrive, what became of them, and how much is waiting.

Labels are words of the contract, so their number is bounded; no id, name, phone or position is ever one.
Most figures are read off the committed events: ``committed`` is called once for each commit.
"""

from collections.abc import Callable, Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dispatch.core import events as e
from dispatch.core.incident import Alert, Incident
from dispatch.roster.drill_devices import KIND as OF_THE_WATCHDOG

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ALERT_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
_COMMIT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """One node's registry. ``text()`` is the page of /metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._delivered_s = self._alert_histogram("delivered", "a machine of the medic had the alert")
        self._seen_s = self._alert_histogram("seen", "the medic opened the alert")
        self._incidents = self._labelled("incidents", "Incidents opened.", "kind", "drill")
        self._ended = self._labelled("incidents_ended", "Incidents closed or cancelled.", "how")
        self._nobody = self._counter("nobody_found", "Times that nobody was left to ask.")
        self._waves = self._counter("waves", "Waves decided.")
        self._alerts = self._labelled("alerts", "Alerts requested.", "role")
        self._answers = self._labelled("answers", "Answers of medics.", "answer", "channel")
        self._stood_down = self._labelled("stand_downs", "Alerts stood down.", "reason")
        self._outcomes = self._labelled(
            "notifications", "What became of sends.", "channel", "purpose", "outcome"
        )
        self._requests = self._labelled("http_requests", "HTTP answers.", "method", "route", "status")
        self.watchdog_drills = self._counter(
            "watchdog_drills", "Drills of the watchdog, and what became of them.", "result"
        )
        self.watchdog_s = Histogram(
            "dispatch_watchdog_seconds",
            "From the watchdog's report until its test device acknowledged the alert.",
            buckets=_ALERT_S,
            registry=self.registry,
        )
        self._shed = self._labelled("shed", "Requests and frames refused or skipped in overload.", "work")
        self._limited = self._labelled("rate_limited", "Requests of one beyond what one may ask.", "who")
        self.commit_s = Histogram(
            "dispatch_commit_seconds", "One commit of decisions.", buckets=_COMMIT_S, registry=self.registry
        )

    def committed(self, state: Incident, happened: Iterable[e.Event]) -> None:
        """Counts the events of one incident that were just committed; ``state`` is the state after them.

        The watchdog's drills have figures of their own: a device that answers at once would flatter these.
        """
        if state.kind == OF_THE_WATCHDOG:
            return
        for event in happened:
            self._count(state, event)

    def answered(self, method: str, route: str, status: int) -> None:
        """Counts an HTTP answer; ``route`` is the path's pattern, never the path."""
        self._requests(method, route, str(status)).inc()

    def shed(self, work: str) -> None:
        """Counts what was refused, or a position that was replaced before it was looked at."""
        self._shed(work).inc()

    def rate_limited(self, who: str) -> None:
        """Counts a request of a key or device beyond its rate, or a frame that had to wait."""
        self._limited(who).inc()

    def gauge(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A figure read when it is asked for: sockets, a queue's depth. ``name`` without the prefix."""
        Gauge(f"dispatch_{name}", help_text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def _count(self, state: Incident, event: e.Event) -> None:  # one line for each kind of event
        match event:
            case e.NotificationRequested():  # the most frequent; what became of it is counted
                return
            case e.IncidentOpened(kind=kind, drill=drill):
                self._incidents(kind, "yes" if drill else "no").inc()
            case e.IncidentClosed():
                self._ended("closed").inc()
            case e.IncidentCancelled():
                self._ended("cancelled").inc()
            case e.NobodyFound():
                self._nobody.inc()
            case e.WaveDecided():
                self._waves.inc()
            case e.AlertRequested(role=role):
                self._alerts(role).inc()
            case e.AlertDelivered(n=n, channel=channel):
                self._observe(self._delivered_s, state, n, channel, event.at)
            case e.AlertSeen(n=n, channel=channel):
                self._observe(self._seen_s, state, n, channel, event.at)
            case e.AlertAnswered(answer=answer, channel=way):
                self._answers(answer, way or "none").inc()
            case e.AlertStoodDown(reason=reason):
                self._stood_down(reason).inc()
            case e.NotificationSent(channel=channel, purpose=purpose):
                self._outcomes(channel, purpose, "sent").inc()
            case e.NotificationDelivered(channel=channel, purpose=purpose):
                self._outcomes(channel, purpose, "delivered").inc()
            case e.NotificationFailed(channel=channel, purpose=purpose):
                self._outcomes(channel, purpose, "failed").inc()

    def _observe(
        self, histogram: Callable[..., Histogram], state: Incident, n: int, channel: str, at: int
    ) -> None:
        alert = state.alert(n)
        wave = "first" if alert.wave == 1 else "later"
        histogram(channel, wave).observe(max(0, at - _reported_at(state, alert)) / 1000)

    def _labelled(self, name: str, help_text: str, *labels: str) -> Callable[..., Counter]:
        """The counter of some labels' values, found again at once: each event of an incident asks for one."""
        return cache(self._counter(name, help_text, *labels).labels)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"dispatch_{name}", help_text, labels, registry=self.registry)

    def _alert_histogram(self, word: str, until: str) -> Callable[..., Histogram]:
        histogram = Histogram(
            f"dispatch_alert_{word}_seconds",
            f"From the report of the incident (wave=first) or the later request, until {until}.",
            ("channel", "wave"),
            buckets=_ALERT_S,
            registry=self.registry,
        )
        return cache(histogram.labels)


def _reported_at(state: Incident, alert: Alert) -> int:
    """When the wait for this alert began: later waves are late on purpose, and count from their request."""
    return state.opened_at if alert.wave == 1 else alert.requested_at
