"""What an event says, in plain words, for whoever reads what happened. Alerts appear by their numbers."""

from dispatch.core import events as e

ANSWERS = {
    "accept": "is coming",
    "decline": "declines",
    "arrived": "has arrived",
    "finished": "has finished",
    "unsafe": "says that it is not safe there",
}
PURPOSES = {"alert": "the alert", "update": "the change", "stand_down": "the stand-down"}


def words(event: e.AnyEvent) -> str:
    """One line without an end."""
    match event:
        case e.AlertRequested(n=n, wave=wave, eta_s=eta_s, first=first):
            again = f", asked again (first as {first})" if first != n else ""
            return f"alert {n} requested in wave {wave}: {eta_s} s away{again}"
        case e.AlertAnswered(n=n, answer=answer, channel=channel, eta_s=eta_s):
            way = f", {eta_s} s away" if eta_s is not None else ""
            return f"alert {n}: she {ANSWERS[answer]}{way}{_over(channel)}"
        case e.AlertStoodDown(n=n, reason=reason):
            return f"alert {n} stood down: {reason}"
        case e.AlertMoved(n=n, eta_s=eta_s, counts=counts):
            return f"alert {n}: now {eta_s} s away{'' if counts else ', and counts no longer'}"
        case e.NotificationRequested() | e.NotificationSent() | e.NotificationDelivered():
            done = e.type_of(event).removeprefix("Notification").lower()
            return f"alert {event.n}: {PURPOSES[event.purpose]} {done}{_over(event.channel)} ({event.k})"
        case e.NotificationFailed(n=n, k=k, channel=channel, purpose=purpose, reason=reason):
            sure = "not sent" if event.definite else "perhaps not sent"
            return (
                f"alert {n}: {PURPOSES[purpose]} {sure}{_over(channel)} ({k}): {reason or 'no reason given'}"
            )
        case _:
            return _of_an_alert(event) or _of_the_incident(event)


def _over(channel: str | None) -> str:
    return f" over {channel}" if channel else ""


def _of_an_alert(event: e.AnyEvent) -> str:
    match event:
        case e.AlertDelivered(n=n, channel=channel):
            return f"alert {n} delivered{_over(channel)}: a machine of hers has it"
        case e.AlertSeen(n=n, channel=channel):
            return f"alert {n} seen{_over(channel)}"
        case e.AlertOverdue(n=n):
            return f"alert {n}: she should have been there by now"
        case e.AlertExpired(n=n):
            return f"alert {n} expired: no answer in time"
        case e.AlertFailed(n=n):
            return f"alert {n} failed: it reached her over no channel"
        case e.TextNotUnderstood(n=n):
            return f"alert {n}: she wrote something that is no answer"
    return ""


def _of_the_incident(event: e.AnyEvent) -> str:
    match event:
        case e.IncidentOpened():
            drill = ", a drill" if event.drill else ""
            about = f"{event.kind}, priority {event.priority}, {event.setting}{drill}"
            return f"opened as {event.reference}: {about}"
        case e.IncidentUpdated(fields=fields):
            return f"changed: {', '.join(fields)}"
        case e.IncidentHeld(reasons=reasons):
            return f"held: {', '.join(reasons)}"
        case e.IncidentReleased():
            return "held no longer"
        case e.MoreRequested(count=count):
            return f"{count} more wanted"
        case e.EnoughSaid():
            return "nobody more wanted"
        case e.WaveDecided(wave=wave, considered=considered, chosen=chosen):
            return f"wave {wave}: {chosen} chosen of {considered} found"
        case e.IncidentCovered(on_the_way=on_the_way):
            return f"covered: {on_the_way} on the way"
        case e.IncidentUncovered(on_the_way=on_the_way):
            return f"no longer covered: {on_the_way} on the way"
        case e.NobodyFound(asked=asked, on_the_way=on_the_way):
            return f"nobody is left to ask: {asked} asked, {on_the_way} on the way"
        case e.IncidentClosed():
            return "closed"
        case e.IncidentCancelled():
            return "cancelled"
        case e.IncidentReopened():
            return "reopened"
    return e.type_of(event)
