"""Twilio never processes what it answers with 429: the same notification again, when Twilio says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notify.channel import Postponed, Sent
from notify.message import Message
from notify.sms import SmsChannel
from notify.twilio_http import retry_after_s
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


async def test_it_is_tried_again_and_rings_once(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE, times=1)
    twilio.fail_next(429, retry_after_s=3)
    assert await channel.send(message, PHONE) == Postponed("too_many_requests", 3.0)
    assert twilio.messages == []
    assert isinstance(await channel.send(message, PHONE), Sent)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0),
        ("0", 0.1),
        ("86400", 60.0),
        ("Mon, 24 Nov 2025 16:00:09 GMT", 9.0),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0.1),
        ("soon", 1.0),
        ("-5", 1.0),
        ("", 1.0),
        (None, 1.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, wait_s: float) -> None:
    assert retry_after_s(header, datetime(2025, 11, 24, 16, 0, tzinfo=UTC)) == wait_s
