"""A Twilio double that nobody may surprise, and channels that talk to it through the real library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from notify.message import Message, Position
from notify.sms import SmsChannel, SmsSettings
from simulations.twilio_double import TwilioDouble

NOW_MS = 1_764_000_000_000
PHONE = "+31612345678"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    async with TwilioDouble(strict=True, epoch_s=NOW_MS / 1000) as double:
        yield double


@pytest.fixture
async def open_channel(twilio: TwilioDouble) -> AsyncIterator[Callable[..., SmsChannel]]:
    """SMS channels on the double; their clock is the double's."""
    opened: list[SmsChannel] = []

    def open_one(**changes: Any) -> SmsChannel:
        settings = {
            "account_sid": twilio.account_sid,
            "auth_token": twilio.auth_token,
            "from_number": twilio.number,
            "api_url": twilio.url,
        }
        now_ms = changes.pop("now_ms", lambda: NOW_MS)
        opened.append(SmsChannel(SmsSettings(**settings | changes), now_ms))
        return opened[-1]

    yield open_one
    for channel in opened:
        await channel.close()


@pytest.fixture
def channel(open_channel: Callable[..., SmsChannel]) -> SmsChannel:
    return open_channel()


@pytest.fixture
def message() -> Message:
    return Message(
        message_id="n-1",
        alert_id="a-1",
        purpose="alert",
        incident_id="i-1",
        kind="cardiac_arrest",
        position=Position(52.09073, 5.12142),
        address="Oudegracht 128, Utrecht",
        directions="tweede deur",
        drill=False,
        role="direct",
        instruction="go",
        distance_m=350,
        eta_s=120,
        travel="estimate",
        expires_at_ms=NOW_MS + 60_000,
        language="nl",
        digits=("1", "2"),
    )


@pytest.fixture
def another(message: Message) -> Callable[..., Message]:
    """The message with some fields changed."""
    return lambda **changes: msgspec.structs.replace(message, **changes)
