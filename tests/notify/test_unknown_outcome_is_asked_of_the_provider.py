"""After an unknown outcome Twilio is asked, by the short code in the text: a phone rings once at most."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notify.channel import Failed, Postponed, Sent, Unknown
from notify.message import Message
from notify.sms import SmsChannel
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"
NOW_MS = 1_764_000_000_000


async def test_an_accepted_one_is_found_and_not_sent_again(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    twilio.expect(PHONE, times=1)
    twilio.queue_s = 5.0
    twilio.hang_next(accepted=True)
    channel = open_channel(timeout_s=0.3)
    assert isinstance(await channel.send(message, PHONE), Unknown)
    queued = await channel.look_up(message, PHONE, NOW_MS)
    assert queued == Sent(twilio.messages[0].sid)  # though it has no date_sent yet
    await twilio.advance(5.0)
    assert await channel.look_up(message, PHONE, NOW_MS) == Sent(twilio.messages[0].sid, delivered=True)


async def test_one_that_the_carrier_gave_up_has_failed(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    twilio.phone(PHONE).undelivered_with = 30003
    twilio.reset_next(accepted=True)
    await channel.send(message, PHONE)
    await twilio.settle()
    assert await channel.look_up(message, PHONE, NOW_MS) == Failed("handset_unreachable", definite=True)


async def test_one_that_is_not_listed_may_be_sent_only_when_the_list_has_caught_up(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    twilio.hang_next()
    await open_channel(timeout_s=0.3).send(message, PHONE)
    after_5_s = open_channel(now_ms=lambda: NOW_MS + 5_000)
    assert await after_5_s.look_up(message, PHONE, NOW_MS) == Unknown("not_listed", 15.0)
    after_20_s = open_channel(now_ms=lambda: NOW_MS + 20_000)
    assert await after_20_s.look_up(message, PHONE, NOW_MS) == Postponed("never_accepted", 0.0)
    twilio.expect(PHONE)
    assert isinstance(await after_20_s.send(message, PHONE), Sent)


async def test_a_list_that_lags_does_not_lead_to_a_second_sms(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    twilio.expect(PHONE, times=1)
    twilio.list_lag_s = 10.0
    twilio.fail_next(503, accepted=True)
    await open_channel().send(message, PHONE)
    assert isinstance(await open_channel().look_up(message, PHONE, NOW_MS), Unknown)
    await twilio.advance(10.0)
    later = open_channel(now_ms=lambda: NOW_MS + 20_000)
    assert isinstance(await later.look_up(message, PHONE, NOW_MS), Sent)


async def test_her_other_messages_are_not_taken_for_it(
    twilio: TwilioDouble,
    channel: SmsChannel,
    open_channel: Callable[..., SmsChannel],
    another: Callable[..., Message],
) -> None:
    twilio.expect(PHONE)
    twilio.expect("+31600000000")
    await channel.send(another(message_id="n-1"), PHONE)
    await channel.send(another(message_id="n-2"), "+31600000000")
    late = open_channel(now_ms=lambda: NOW_MS + 60_000)
    assert await late.look_up(another(message_id="n-2"), PHONE, NOW_MS) == Postponed("never_accepted", 0.0)


async def test_it_is_found_on_a_later_page(
    twilio: TwilioDouble, channel: SmsChannel, another: Callable[..., Message]
) -> None:
    twilio.expect(PHONE, times=121)
    for nth in range(121):
        await channel.send(another(message_id=f"n-{nth}"), PHONE)
    found = await channel.look_up(another(message_id="n-0"), PHONE, NOW_MS)
    assert isinstance(found, Sent)
    assert found.provider_id == twilio.messages[0].sid


async def test_a_list_too_long_to_read_leaves_it_unknown(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], another: Callable[..., Message]
) -> None:
    twilio.expect(PHONE, times=201)
    channel = open_channel(now_ms=lambda: NOW_MS + 20_000)
    for nth in range(201):
        await channel.send(another(message_id=f"n-{nth}"), PHONE)
    assert await channel.look_up(another(message_id="n-0"), PHONE, NOW_MS) == Unknown("not_listed", 1.0)


async def test_older_messages_end_the_search(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], another: Callable[..., Message]
) -> None:
    twilio.expect(PHONE, times=201)
    channel = open_channel(now_ms=lambda: NOW_MS + 900_000)
    for nth in range(201):
        await channel.send(another(message_id=f"n-{nth}", purpose="update"), PHONE)
    asked = await channel.look_up(another(message_id="n-new"), PHONE, NOW_MS + 400_000)
    assert asked == Postponed("never_accepted", 0.0)


@pytest.mark.parametrize("trouble", ["429", "503", "401", "hang", "reset"])
async def test_a_provider_that_cannot_tell_leaves_it_unknown(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message, trouble: str
) -> None:
    if trouble == "hang":
        twilio.hang_next(call="list")
    elif trouble == "reset":
        # An idempotent GET may be repeated once by the HTTP client itself.
        twilio.reset_next(call="list", times=2)
    else:
        twilio.fail_next(int(trouble), call="list")
    channel = open_channel(timeout_s=0.4, now_ms=lambda: NOW_MS + 60_000)
    assert isinstance(await channel.look_up(message, PHONE, NOW_MS), Unknown)
