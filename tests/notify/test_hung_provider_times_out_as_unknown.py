"""A provider that does not answer costs its time-out, is asked once, and leaves the outcome unknown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from notify.channel import Postponed, Unknown
from notify.message import Message
from notify.sms import SmsChannel
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_hang_is_unknown_whether_or_not_it_was_sent(
    twilio: TwilioDouble, open_channel: Callable[..., SmsChannel], message: Message, accepted: bool
) -> None:
    if accepted:
        twilio.expect(PHONE)
    twilio.hang_next(accepted=accepted)
    started_s = time.monotonic()
    outcome = await open_channel(timeout_s=0.3).send(message, PHONE)
    assert outcome == Unknown("timeout", 2.0)
    assert time.monotonic() - started_s < 3
    assert len(twilio.messages) == accepted


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_unknown_and_not_repeated(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, status: int
) -> None:
    twilio.expect(PHONE)
    twilio.fail_next(status, accepted=True)
    assert await channel.send(message, PHONE) == Unknown(f"http_{status}", 2.0)
    assert len(twilio.messages) == 1


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_connection_lost_midway_is_unknown(
    twilio: TwilioDouble, channel: SmsChannel, message: Message, accepted: bool
) -> None:
    if accepted:
        twilio.expect(PHONE)
    twilio.reset_next(accepted=accepted)
    assert await channel.send(message, PHONE) == Unknown("connection_lost", 2.0)
    assert len(twilio.messages) == accepted


@pytest.mark.parametrize("answer", [b"", b"<html>", b'"text"', b"[]", b"{", b"\xff\xfe"])
async def test_an_answer_that_is_no_message_is_unknown(
    open_channel: Callable[..., SmsChannel], message: Message, answer: bytes
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await open_channel(api_url=f"http://127.0.0.1:{port}").send(message, PHONE)
    assert isinstance(outcome, Unknown)


async def test_a_host_that_never_takes_the_connection_was_certainly_not_asked(
    open_channel: Callable[..., SmsChannel], message: Message
) -> None:
    """A listener with a full backlog, so that connecting hangs as to a dead host."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, backlog=1, start_serving=False)
    port = server.sockets[0].getsockname()[1]
    server.sockets[0]._sock.listen(0)
    fillers = [asyncio.create_task(asyncio.open_connection("127.0.0.1", port)) for _ in range(4)]
    await asyncio.wait(fillers, timeout=0.2)
    try:
        channel = open_channel(api_url=f"http://127.0.0.1:{port}", timeout_s=0.4)
        assert await channel.send(message, PHONE) == Postponed("unreachable", 2.0)
    finally:
        for filler in fillers:
            filler.cancel()
        for done in await asyncio.gather(*fillers, return_exceptions=True):
            if isinstance(done, tuple):
                done[1].close()
        server.close()
        await server.wait_closed()
