"""Whatever comes back instead of a message is an outcome, never an exception; and no more of it is read than
an answer of Twilio's can have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from notify.channel import Failed, Unknown
from notify.message import Message
from notify.sms import SmsChannel
from notify.twilio_http import ANSWER_BYTES_MAX
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"
JSON = {"Content-Type": "application/json"}
STRANGE: Mapping[str, tuple[bytes, Mapping[str, str]]] = {
    "half of it": (b'{"sid": "SM', JSON),
    "nothing": (b"", JSON),
    "another document": (b"[1, 2]", JSON),
    "no sid": (b'{"status": "queued"}', JSON),
    "a sid of another type": (b'{"sid": 7, "status": "queued"}', JSON),
    "nested without end": (b"[" * 200_000, JSON),
    "no UTF-8": (b"\xff\xfe\x00", JSON),
    "an encoding that is none": (b"{}", {"Content-Type": "application/json; charset=hex"}),
    "too long": (b'{"sid": "SM1", "body": "' + b"x" * ANSWER_BYTES_MAX + b'"}', JSON),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_strange_answer_to_a_send_leaves_it_unknown(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, name: str
) -> None:
    body, headers = STRANGE[name]
    twilio.answer_next(body, headers=headers)
    assert await channel.send(message, PHONE) == Unknown("bad_answer", 2.0)


@pytest.mark.parametrize("name", STRANGE)
async def test_a_strange_answer_to_a_look_up_leaves_it_unknown(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, name: str
) -> None:
    body, headers = STRANGE[name]
    twilio.answer_next(body, headers=headers, status=200, call="list")
    assert isinstance(await channel.look_up(message, PHONE, 0), Unknown)


@pytest.mark.parametrize("body", [b'{"code": [21614], "message": {}}', b"<h1>", b"", b"[" * 200_000])
async def test_a_refusal_without_a_code_is_not_about_her(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, body: bytes
) -> None:
    twilio.answer_next(body, status=400)
    assert await channel.send(message, PHONE) == Failed("refused_400", definite=False)


async def test_an_unknown_error_code_of_a_failed_message_is_not_about_her(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.answer_next(b'{"sid": "SM1", "status": "failed", "error_code": [21614]}')
    assert await channel.send(message, PHONE) == Failed("undelivered", definite=False)
