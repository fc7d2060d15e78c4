"""A letter for the sender, and the alert that it brings."""

from dispatch.sending.sender import Letter
from notify.message import Message, Position

LETTER = Letter("0123", 1, 1, "sms")
EXPIRES_MS = 60_000
ALERT = Message(
    message_id="0123-1-1",
    alert_id="0123-1",
    purpose="alert",
    incident_id="0123",
    kind="trauma",
    position=Position(52.09, 5.12),
    address=None,
    directions=None,
    drill=False,
    role="direct",
    instruction="go",
    distance_m=1,
    eta_s=1,
    travel="estimate",
    expires_at_ms=EXPIRES_MS,
    language="en",
)
