"""Thousands of devices in one process: the least of a websocket client that says hello and counts its alerts.

Unrealistic: they acknowledge nothing, answer no ping, and take what they read for whole frames of text.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable, Sequence

ALERT = b'"type":"alert"'
WELCOME = b'"type":"welcome"'


class Device(asyncio.Protocol):
    """One connection of one device, from its upgrade to its end."""

    def __init__(self, token: str, on_lost: Callable[[str], None]) -> None:
        self._token, self._on_lost = token, on_lost
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None
        self._dropped = False
        self.welcomed = self.alerted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            b"GET /v1/me/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        upgraded = b"\r\n\r\n" in self._read
        self._read += data
        if not upgraded and b"\r\n\r\n" in self._read:
            assert self._transport is not None
            self._transport.write(_masked(json.dumps({"type": "hello", "token": self._token}).encode()))
        self.welcomed = self.welcomed or WELCOME in self._read
        self.alerted = self.alerted or ALERT in self._read

    def connection_lost(self, error: Exception | None) -> None:
        self.welcomed = False
        if not self._dropped:
            self._on_lost(self._token)

    def drop(self) -> None:
        """As a phone that is switched off in a tunnel, but for the RST."""
        self._dropped = True
        if self._transport is not None:
            self._transport.abort()


class Crowd:
    """Devices that connect all at once. Who is refused or let go comes back with jitter, by the contract."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self._port, self._tokens = port, tokens
        self._devices: dict[str, Device] = {}
        self._coming: dict[asyncio.Task[None], None] = {}
        self.lost = 0

    def connect_all(self) -> None:
        for token in self._tokens:
            self._come(token, 0)

    async def drop_all(self) -> None:
        for task in list(self._coming):
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        for device in self._devices.values():
            device.drop()
        self._devices.clear()

    @property
    def welcomed(self) -> int:
        return sum(device.welcomed for device in self._devices.values())

    @property
    def alerted(self) -> int:
        return sum(device.alerted for device in self._devices.values())

    def _come(self, token: str, after_s: float) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(token, after_s))
        self._coming[task] = None
        task.add_done_callback(lambda done: self._coming.pop(done, None))

    def _lost(self, token: str) -> None:
        self.lost += 1
        self._come(token, random.uniform(0.5, 1.5))

    async def _connect(self, token: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        device = self._devices[token] = Device(token, self._lost)
        try:
            await asyncio.get_running_loop().create_connection(lambda: device, "127.0.0.1", self._port)
        except OSError:
            self._lost(token)


def _masked(text: bytes) -> bytes:
    """One frame of text from a client (RFC 6455, section 5.2)."""
    assert len(text) < 126
    mask = os.urandom(4)
    return bytes([0x81, 0x80 | len(text)]) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(text))
