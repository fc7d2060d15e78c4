"""A refusal is the medic's (the next rung at once), ours or Twilio's (the same SMS again), or unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notify.channel import Failed, Postponed
from notify.message import Message
from notify.sms import SmsChannel
from notify.twilio_results import status_outcome
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (21211, "invalid_number"),
        (21612, "unroutable"),
        (21614, "not_a_mobile"),
        (21408, "region_not_permitted"),
    ],
)
async def test_a_phone_that_cannot_be_reached_is_a_definite_failure(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, code: int, reason: str
) -> None:
    twilio.phone(PHONE).refused_with = code
    assert await channel.send(message, PHONE) == Failed(reason, definite=True)


async def test_a_number_that_is_none_is_a_definite_failure(channel: SmsChannel, message: Message) -> None:
    assert await channel.send(message, "0612345678") == Failed("invalid_number", definite=True)


async def test_an_opt_out_word_blocks_the_channel_until_she_opts_in(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE, times=2)
    await channel.send(message, PHONE)
    await twilio.settle()
    await twilio.phone(PHONE).reply("Stop")
    assert await channel.send(message, PHONE) == Failed("opted_out", definite=True)
    await twilio.phone(PHONE).reply("START")
    assert not isinstance(await channel.send(message, PHONE), Failed)


async def test_refused_credentials_are_not_her_failure(
    open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    outcome = await open_channel(auth_token="wrong").send(message, PHONE)
    assert outcome == Postponed("credentials", 15.0)


async def test_a_refused_sender_is_not_her_failure(
    open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    outcome = await open_channel(from_number="+15005550001").send(message, PHONE)
    assert outcome == Postponed("sender_refused", 15.0)


async def test_a_refusal_that_we_do_not_know_is_not_taken_for_hers(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.fail_next(400, code=29999)
    assert await channel.send(message, PHONE) == Failed("refused_29999", definite=False)


async def test_a_closed_port_is_certainly_not_sent(
    open_channel: Callable[..., SmsChannel], message: Message, unused_tcp_port: int
) -> None:
    outcome = await open_channel(api_url=f"http://127.0.0.1:{unused_tcp_port}").send(message, PHONE)
    assert outcome == Postponed("unreachable", 2.0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (30003, Failed("handset_unreachable", definite=True)),
        (30006, Failed("not_a_mobile", definite=True)),
        (30036, Failed("expired", definite=False)),
        (30999, Failed("undelivered_30999", definite=False)),
        (None, Failed("undelivered", definite=False)),
    ],
)
def test_what_the_carrier_gave_up_is_told_apart_too(code: int | None, expected: Failed) -> None:
    assert status_outcome("undelivered", code, "SM1") == expected
    assert status_outcome("failed", code, "SM1") == expected
