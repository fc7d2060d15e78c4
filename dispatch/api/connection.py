"""One open socket as the hub knows it: takes frames without waiting, from a bounded buffer on."""

import asyncio
from collections import deque

from starlette.types import Send

FRAMES_WAITING_MAX = 64


class Connection:
    """One open socket, as the hub knows it. ``send`` and ``close`` never wait."""

    __slots__ = ("_closing", "_gone", "_send", "_sending", "_waiting")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[str] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._closing = 0
        self._gone = False

    def send(self, text: str) -> bool:
        """Takes a frame; False when the device does not keep up, or has gone."""
        if self._gone or self._closing:
            return False
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= FRAMES_WAITING_MAX:
            return False
        self._waiting.append(text)
        self._begin()
        return True

    def close(self, code: int) -> None:
        """Closes once what waits has been sent; the first code counts."""
        if not self._closing and not self._gone:
            self._closing = code
            self._begin()

    def gone(self) -> None:
        """The device has gone: nothing can be sent any more."""
        self._gone = True
        self._waiting = None

    async def sent(self) -> None:
        """Returns when what was to be sent is."""
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    def _begin(self) -> None:
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._send({"type": "websocket.send", "text": self._waiting.popleft()})
            if self._closing:
                await self._send({"type": "websocket.close", "code": self._closing})
        except (OSError, RuntimeError):  # gone meanwhile: the task that reads finds out
            self._gone = True
        finally:
            self._waiting = None
            self._sending = None
