"""`dispatch serve` with shorter times, so that a test need not wait out the real ones. No more than that."""

import os
from functools import partial

from dispatch import serving
from dispatch.sending import sender
from dispatch.service import following, node
from notify import sms, twilio_results

PING_S = "DISPATCH_TEST_PING_S"
SMS_TIMEOUT_S = 1.5
SMS_LAG_S = 3.0
ASK_S = 8.0
CREDENTIALS_S = 1.0


def hasten() -> None:
    """The times that a fault has to last longer than."""
    serving.PING_S = float(os.environ.get(PING_S, "1"))
    following.LOOK_S = 0.05
    node.RECONNECT_GRACE_MS = 0
    sms.SmsSettings = partial(sms.SmsSettings, timeout_s=SMS_TIMEOUT_S, lag_s=SMS_LAG_S)  # type: ignore[misc]
    sender.ASK_S_MAX = ASK_S
    twilio_results.CREDENTIALS_RETRY_S = CREDENTIALS_S
