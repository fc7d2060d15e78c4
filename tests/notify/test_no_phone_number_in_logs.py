"""Nobody's phone number is logged or shown in a reason, whatever the log level and whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from notify.message import Message
from notify.sms import SmsChannel
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


@pytest.mark.parametrize(
    "trouble", ["none", "refused", "429", "500", "hang", "reset", "unreachable", "bad_number"]
)
async def test_not_in_any_record_or_outcome(
    twilio: TwilioDouble,
    open_channel: Callable[..., SmsChannel],
    message: Message,
    caplog: pytest.LogCaptureFixture,
    unused_tcp_port: int,
    trouble: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("twilio").setLevel(logging.DEBUG)  # a deployment that wants to see everything
    changes: dict[str, object] = {"timeout_s": 0.4}
    phone = PHONE
    if trouble == "none":
        twilio.expect(PHONE)
    elif trouble == "refused":
        twilio.phone(PHONE).refused_with = 21614
    elif trouble == "hang":
        twilio.hang_next()
    elif trouble == "reset":
        twilio.reset_next()
    elif trouble == "unreachable":
        changes["api_url"] = f"http://127.0.0.1:{unused_tcp_port}"
    elif trouble == "bad_number":
        phone = "0612345678"
    else:
        twilio.fail_next(int(trouble))
    channel = open_channel(**changes)
    outcomes = [await channel.send(message, phone), await channel.look_up(message, phone, 0)]
    logged = " ".join(f"{record.name} {record.getMessage()} {record.exc_text}" for record in caplog.records)
    assert "12345678" not in logged + repr(outcomes)


def test_the_librarys_own_loggers_are_quiet(open_channel: Callable[..., SmsChannel]) -> None:
    for name in ("twilio", "twilio.http_client", "twilio.async_http_client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    open_channel()
    for name in ("twilio", "twilio.http_client", "twilio.async_http_client"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
