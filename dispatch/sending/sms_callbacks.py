"""Whether the provider's reports of delivery arrive: without them no SMS is ever known as delivered."""

from collections.abc import Iterable

from dispatch.check import Check
from dispatch.deciding.live import Live

LONG_MS = 300_000
SENT_MIN = 3


def callbacks(lives: Iterable[Live], now_ms: int) -> Check:
    """Of the SMS in memory that were sent long ago, not one is known as delivered: told, and not needed."""
    states = [
        note.state
        for live in lives
        if live.record is not None
        for alert in live.record.state.alerts
        for note in alert.notes
        if note.channel == "sms" and note.at < now_ms - LONG_MS
    ]
    sent = states.count("sent")
    if sent < SENT_MIN or "delivered" in states:
        return Check("sms_callbacks", True, "nothing is missing", needed=False)
    return Check(
        "sms_callbacks",
        False,
        f"{sent} SMS went out more than {LONG_MS // 60_000} minutes ago, and not one is known as delivered",
        "Twilio must reach DISPATCH_PUBLIC_URL/v1/twilio/status. 403 there (dispatch_http_requests_total): "
        "another URL or auth token than Twilio's. Some carriers report nothing.",
        needed=False,
    )
