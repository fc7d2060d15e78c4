"""One open socket as the hub knows it: takes frames without waiting, from a bounded buffer on."""

import asyncio
import types
from collections import deque
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any

from starlette.types import Message, Send

FRAMES_WAITING_MAX = 64


class Connection:
    """One open socket. ``send`` and ``close`` never wait.

    A frame is put on the wire at once, without a task, while the device keeps up: the last of twenty medics
    waits for the nineteen before her. Only what can not be written yet waits, and a task with it.
    """

    __slots__ = ("_gone", "_send", "_sending", "_waiting", "closed_with")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[Message] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._gone = False
        self.closed_with: int | None = None
        """The code, once this side has closed it: what the device had said before may still be read."""

    def send(self, text: str) -> bool:
        """Takes a frame; False when the device does not keep up, or has gone."""
        if self._gone or self.closed_with is not None:
            return False
        if self._waiting is not None and len(self._waiting) >= FRAMES_WAITING_MAX:
            return False
        return self._put({"type": "websocket.send", "text": text})

    def close(self, code: int) -> None:
        """Closes once what waits has been sent; the first code counts."""
        if self.closed_with is None and not self._gone:
            self.closed_with = code
            self._put({"type": "websocket.close", "code": code})

    def gone(self) -> None:
        """The device has gone: nothing can be sent any more."""
        self._gone = True
        self._waiting = None

    async def sent(self) -> None:
        """Returns when what was to be sent is."""
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    def _put(self, message: Message) -> bool:
        if self._waiting is not None:
            self._waiting.append(message)
            return True
        sending: Any = self._send(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return True
        except (OSError, RuntimeError):  # gone meanwhile: the task that reads finds out
            self.gone()
            return False
        self._waiting = deque()
        self._sending = asyncio.get_running_loop().create_task(self._send_rest(sending, waits_for))
        return True

    async def _send_rest(self, begun: Coroutine[Any, Any, None], waits_for: Any) -> None:
        try:
            await _resumed(begun, waits_for)
            while self._waiting:
                await self._send(self._waiting.popleft())
            self._waiting = None
        except (OSError, RuntimeError):
            self.gone()
        finally:
            self._sending = None


@types.coroutine
def _resumed(begun: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Goes on with a coroutine that was begun by hand and gave ``waits_for`` to wait for (PEP 492)."""
    with suppress(StopIteration):
        while True:
            try:
                got = yield waits_for
            except BaseException as error:
                waits_for = begun.throw(error)
            else:
                waits_for = begun.send(got)
