"""A proxy before Postgres that cuts a connection in the middle of a call.

It knows of the protocol only where a reply ends (ReadyForQuery, PostgreSQL documentation, "Message Formats").
Unrealistic: it cuts between messages, and a request is taken to come in one piece.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

REPLY_ENDS = b"Z\x00\x00\x00\x05"
PIECE_BYTES = 2**20


class Proxy:
    """``cut_request`` and ``cut_reply`` are asked about each: what they say True to is cut, not passed on.

    The server gets a request that was cut when ``release`` is called. ``before`` is awaited with every other.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        self._folder = folder
        self._upstream = urlsplit(dsn)
        self.cut_request: Callable[[bytes], bool] = lambda _: False
        self.cut_reply: Callable[[bytes], bool] = lambda _: False
        self.before: Callable[[bytes], Awaitable[None]] | None = None
        self.refusing = False
        self._links: list[_Link] = []
        self._server: asyncio.Server | None = None

    @property
    def dsn(self) -> str:
        """The way to the database through this proxy."""
        up = self._upstream
        name = f"{up.username}:{up.password}" if up.password else up.username
        return f"postgresql://{name}@{up.path}?host={quote(str(self._folder), safe='')}&port=5432"

    @property
    def connections(self) -> int:
        """How many there ever were."""
        return len(self._links)

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self._folder / ".s.PGSQL.5432")

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            await link.end()

    async def release(self) -> None:
        """Lets the server do what it was asked before the cut; returns when it has."""
        for link in self._links:
            await link.release()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.close()
            return
        query = parse_qs(self._upstream.query)
        if "host" in query:
            path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
            up_reader, up_writer = await asyncio.open_unix_connection(path)
        else:
            up_reader, up_writer = await asyncio.open_connection(
                self._upstream.hostname, self._upstream.port or 5432
            )
        link = _Link(self, writer, up_writer)
        self._links.append(link)
        link.tasks = [
            asyncio.create_task(link.requests(reader)),
            asyncio.create_task(link.replies(up_reader)),
        ]


class _Link:
    """One connection, and the one behind it."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._held: bytes | None = None
        self._replied = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def requests(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(PIECE_BYTES):
            if self._proxy.cut_request(data):
                self._held = data
                self._client.close()
                return
            if self._proxy.before is not None:
                await self._proxy.before(data)
            self._server.write(data)
        self._server.close()

    async def replies(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(PIECE_BYTES):
            ends = REPLY_ENDS in data
            if self._held is None and ends and self._proxy.cut_reply(data):
                break
            if self._held is None:
                self._client.write(data)
            elif ends:
                self._replied.set()
        self._client.close()
        self._replied.set()

    async def release(self) -> None:
        if self._held is not None:
            self._replied.clear()
            self._server.write(self._held)
            await asyncio.wait_for(self._replied.wait(), 10)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._client.close()
        self._server.close()
