"""Phones and a control room as one light client, the same for every rival: raw HTTP, `websockets` sockets."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PHONES = 20
"""How many a report reaches."""
MESSAGE = '{"type":"alert","filling":"' + "x" * 372 + '"}'
"""What rivals without alerts of their own put on them: 400 bytes."""


class Phones:
    """Open sockets by name. ``wait_for`` says when the last of so many had a frame that counts."""

    def __init__(
        self, counts: Callable[[str], bool], *, answer: Callable[[str], str | None] | None = None
    ) -> None:
        self._counts = counts
        self._answer = answer
        self._sockets: list[ClientConnection] = []
        self._readers: list[asyncio.Task[None]] = []
        self._left = 0
        self._unanswered: list[tuple[ClientConnection, str]] = []
        self._done: asyncio.Future[float] | None = None
        self.taken: list[str] = []

    async def open(self, url: str, hellos: list[str | None]) -> None:
        """One socket for each hello, fifty at a time."""
        for i in range(0, len(hellos), 50):
            await asyncio.gather(*(self._open(url, hello) for hello in hellos[i : i + 50]))

    async def _open(self, url: str, hello: str | None) -> None:
        socket = await connect(url, compression=None, ping_interval=None, open_timeout=30, max_queue=None)
        if hello is not None:
            await socket.send(hello)
            await socket.recv()
        self._sockets.append(socket)
        self._readers.append(asyncio.create_task(self._read(socket)))

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            at = time.perf_counter()
            assert isinstance(text, str)
            if self._counts(text):
                self._left -= 1
                self.taken.append(text)
                if self._left == 0 and self._done is not None and not self._done.done():
                    self._done.set_result(at)
            if self._answer is not None:
                self._unanswered.append((socket, text))

    def expect(self, count: int) -> "asyncio.Future[float]":
        """The time (perf_counter) at which the last of the next ``count`` frames was received."""
        self._left, self.taken = count, []
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    async def answer_all(self) -> None:
        """Acknowledges what came. Twenty phones would do so each by itself, this one process in between."""
        unanswered, self._unanswered = self._unanswered, []
        for socket, text in unanswered:
            if self._answer is not None and (answer := self._answer(text)) is not None:
                await socket.send(answer)

    async def close(self) -> None:
        for reader in self._readers:
            reader.cancel()
        for i in range(0, len(self._sockets), 50):
            await asyncio.gather(*(socket.close() for socket in self._sockets[i : i + 50]))


class Http:
    """One kept-alive connection; requests one after the other, written in one piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: str) -> None:
        self._reader, self._writer, self._headers = reader, writer, headers

    @classmethod
    async def open(cls, port: int, headers: dict[str, str]) -> "Http":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, "".join(f"{name}: {value}\r\n" for name, value in headers.items()))

    async def post(self, path: str, body: bytes, more: str = "") -> tuple[int, Any]:
        """Status and parsed JSON (None where there is none)."""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}{self._headers}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").split("\r\n")
        lengths = [line for line in lines if line.lower().startswith("content-length:")]
        content = await self._reader.readexactly(int(lengths[0].split(":")[1]) if lengths else 0)
        return int(lines[0].split()[1]), json.loads(content) if content else None

    def close(self) -> None:
        self._writer.close()
