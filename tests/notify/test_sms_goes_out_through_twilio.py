"""The real `twilio` library over HTTP to the double: what is asked, and what arrives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notify.channel import Failed, Sent
from notify.message import Message
from notify.sms import SmsChannel, SmsSettings
from notify.texts import enrolment_text, sms_text
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


async def test_an_alert_arrives_as_its_text_in_one_segment(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE, containing="Reanimatie")
    assert await channel.send(message, PHONE) == Sent(twilio.messages[0].sid)
    await twilio.settle()
    (text,) = twilio.phone(PHONE).inbox
    assert (text.body, text.segments, text.sender) == (sms_text(message), 1, twilio.number)


async def test_an_alert_waits_at_twilio_no_longer_than_it_is_good_for(
    twilio: TwilioDouble, channel: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    twilio.queue_s = 61
    await channel.send(message, PHONE)
    assert twilio.messages[0].validity_s == 60
    await twilio.advance(60)
    assert twilio.phone(PHONE).inbox == []
    assert (twilio.messages[0].status, twilio.messages[0].error_code) == ("failed", 30036)


async def test_an_expired_alert_is_not_sent(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    late = open_channel(now_ms=lambda: message.expires_at_ms - 999)
    assert await late.send(message, PHONE) == Failed("expired", definite=False)
    assert twilio.messages == []


async def test_a_stand_down_outlives_its_alert(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], another: Callable[..., Message]
) -> None:
    twilio.expect(PHONE, containing="je hoeft niet te komen")
    stand_down = another(purpose="stand_down", reason="covered")
    late = open_channel(now_ms=lambda: stand_down.expires_at_ms + 1_000_000)
    assert isinstance(await late.send(stand_down, PHONE), Sent)
    assert twilio.messages[0].validity_s == 600


async def test_a_validity_is_never_longer_than_twilios_longest(
    twilio: TwilioDouble, channel: SmsChannel, another: Callable[..., Message]
) -> None:
    twilio.expect(PHONE)
    await channel.send(another(expires_at_ms=2_000_000_000_000), PHONE)
    assert twilio.messages[0].validity_s == 36_000


async def test_a_messaging_service_sends_in_place_of_a_number(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    twilio.expect(PHONE)
    channel = open_channel(from_number=None, messaging_service_sid=twilio.service_sid)
    assert await channel.send(message, PHONE) == Sent(twilio.messages[0].sid)
    assert twilio.messages[0].service_sid == twilio.service_sid


async def test_the_status_callback_names_the_notification(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    twilio.expect(PHONE, times=2)
    await open_channel(public_url="https://alerts.example/").send(message, PHONE)
    await open_channel(public_url=None).send(message, PHONE)
    assert [record.callback_url for record in twilio.messages] == [
        "https://alerts.example/v1/twilio/status?notification=n-1",
        None,
    ]


async def test_an_enrolment_code_goes_out_without_a_notification(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel]
) -> None:
    twilio.expect(PHONE, containing="123456")
    channel = open_channel(public_url="https://alerts.example")
    assert isinstance(await channel.send_text(enrolment_text("123456", "nl"), PHONE), Sent)
    assert twilio.messages[0].callback_url is None


def test_a_sender_is_needed_and_only_one() -> None:
    for senders in ({}, {"from_number": "+15005550006", "messaging_service_sid": "MG1"}):
        with pytest.raises(ValueError, match="not both"):
            SmsSettings("AC1", "secret", **senders)
    with pytest.raises(ValueError, match="malformed"):
        SmsSettings("AC:1", "secret", from_number="+15005550006")
    with pytest.raises(ValueError, match="https"):
        SmsSettings("AC1", "secret", from_number="+15005550006", public_url="alerts.example")


def test_settings_never_show_the_token() -> None:
    assert "secret" not in repr(SmsSettings("AC1", "secret", from_number="+15005550006"))
