"""An incident's events in plain words, a line each, for whoever watches without knowing the system."""

from collections.abc import Callable, Mapping

from simulations.demo.timeline import AlertLine, Event, Timeline
from simulations.population import Resident

CHANNELS = {"websocket": "app", "sms": "SMS"}

STAND_DOWN_REASONS = {
    "covered": "enough are coming",
    "cancelled": "the call was withdrawn",
    "closed": "the incident is over",
    "changed": "the call has changed",
    "moved": "the place has changed",
    "unsafe": "it is not safe there",
    "ambulance": "the ambulance is there",
    "suspended": "suspended",
    "engaged": "another call comes first",
}

ANSWERS = {
    "accept": "is going",
    "decline": "cannot come",
    "arrived": "has arrived",
    "finished": "is done",
    "unsafe": "says it is not safe there",
}


def seconds(ms: int | None) -> str:
    """`87 ms`, `4.2 s`, `3 min`; a dash for what did not happen."""
    if ms is None:
        return "-"
    if ms < 1_000:
        return f"{ms} ms"
    return f"{ms / 1_000:.1f} s" if ms < 120_000 else f"{ms // 60_000} min"


def distance(distance_m: int | None) -> str:
    if distance_m is None:
        return "-"
    return f"{distance_m} m" if distance_m < 1_000 else f"{distance_m / 1_000:.1f} km"


def channel(name: str) -> str:
    return CHANNELS.get(name, name)


def narrate(event: Event, timeline: Timeline, residents: Mapping[str, Resident]) -> str | None:
    """One line for an event that a stranger wants to read about; None for the others.

    Call it after the timeline has taken the event.
    """
    data = event["data"]
    if "n" not in data:
        return _of_incident(event, timeline)
    alert = timeline.alerts[data["n"]]
    name = _name(alert, residents)
    match event["type"]:
        case "AlertRequested":
            return f"{name} is alerted, {alert.eta_s} s away"
        case "AlertDelivered":
            return f"{name}: the alert is on the phone by {channel(data['channel'])}"
        case "AlertSeen":
            return f"{name} has seen it"
        case "AlertAnswered":
            return f"{name} {ANSWERS.get(data['answer'], data['answer'])} ({_by(event)})"
        case "AlertStoodDown":
            return f"{name} is stood down: {STAND_DOWN_REASONS.get(data['reason'], data['reason'])}"
        case "AlertExpired":
            return f"{name} gave no answer in time"
        case "AlertOverdue":
            return f"{name} should have been there by now"
        case "NotificationFailed" if data["channel"] != "websocket":
            return f"{name} cannot be reached by {channel(data['channel'])}: {data.get('reason')}"
    return None


def _of_incident(event: Event, timeline: Timeline) -> str | None:
    data = event["data"]
    match event["type"]:
        case "IncidentOpened":
            return f"incident: {timeline.call.title}"
        case "WaveDecided":
            return f"wave {data['wave']}: {data['chosen']} of {data['considered']} medics found are alerted"
        case "IncidentHeld":
            return f"held: {', '.join(data['reasons'])}"
        case "IncidentCovered":
            return f"covered: {data['on_the_way']} are on their way"
        case "IncidentUncovered":
            return f"not covered any more: {data['on_the_way']} on the way"
        case "NobodyFound":
            return "nobody is left to ask: the control room is told"
        case "IncidentClosed" | "IncidentCancelled":
            return f"incident {timeline.state}"
    return None


def _by(event: Event) -> str:
    """Who or what told: an arrival can be seen by her position, a close ends what she does."""
    over = event["data"].get("channel")
    if over is not None:
        return f"by {channel(over)}"
    return "seen by her position" if event["by"]["kind"] == "timer" else "by the control room"


def _name(alert: AlertLine, residents: Mapping[str, Resident]) -> str:
    resident = residents.get(alert.medic_id or "")
    return resident.name if resident is not None else f"alert {alert.n}"


class LineView:
    """For a pipe or a log: a line for each thing worth reading, with the milliseconds since the report."""

    def __init__(self, say: Callable[[str], None], residents: Mapping[str, Resident]) -> None:
        self._say = say
        self._residents = residents

    def on_event(self, event: Event, timeline: Timeline) -> None:
        line = narrate(event, timeline, self._residents)
        if line is not None:
            at_ms = timeline.after_report_ms(event["at"])
            self._say(f"[{timeline.call.reference}] {at_ms:>7} ms  {line}")
