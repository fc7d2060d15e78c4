"""The feed: a control room's events as Server-Sent Events, every one once, in order, from where it left off.

Read from the database from a position on, then woken at each commit: what a follower is shown never depends
on what this node happens to remember. WHATWG HTML, 9.2 "Server-sent events".
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

import asyncpg
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dispatch.api import views
from dispatch.api.access import Access
from dispatch.api.problem import invalid, retry_later
from dispatch.api.reading import query_of
from dispatch.api.routes import DATABASE_AWAY, EVENT_STREAM, Operation
from dispatch.store import feed

PATH = "/v1/events"
HEADER = "Last-Event-ID"
COMMENT_S = 15.0
WRITE_S_MAX = 30.0
"""A reader that takes nothing for so long is dropped; it comes back and resumes."""
PAGE = 200
GATHER_S = 0.05
"""From one look to the next: a look costs as much as what it tells, and a busy node commits all the time."""
FOLLOWERS_MAX = 500
RETRY_MS = 2000


class LaterThan(Protocol):
    """Waits until the feed may have grown past a position; False when ``timeout_s`` passed first."""

    async def __call__(self, room_id: str, feed_pos: int, timeout_s: float) -> bool: ...


class FeedApi:
    """``stop`` lets all followers go: the service stops, and they come back elsewhere."""

    def __init__(self, access: Access, db: asyncpg.Pool, later_than: LaterThan) -> None:
        self._access = access
        self._db = db
        self._later_than = later_than
        self._stopping = asyncio.Event()
        self.followers = 0

    def stop(self) -> None:
        self._stopping.set()

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                PATH,
                self.feed,
                "The feed, as Server-Sent Events",
                "incidents:read",
                answer=views.Event,
                media_type=EVENT_STREAM,
                headers=(HEADER,),
                work=None,  # followed for hours; it has a bound of its own
            )
        ]

    async def feed(self, request: Request) -> Response:
        key = await self._access.control_room(request, "incidents:read")
        query_of(request)
        if self.followers >= FOLLOWERS_MAX:
            raise retry_later("unavailable", 5, "Too many follow the feed here.")
        self.followers += 1  # before anything is waited for: they come back all at once
        try:
            newest = await feed.position(self._db, key.control_room_id)
            after = _after(request.headers.get(HEADER), newest)
        except BaseException:
            self._left()
            raise
        pieces = self._pieces(key.control_room_id, after, self._access.still(request))
        return EventStream(pieces, self._stopping, self._left)

    def _left(self) -> None:
        self.followers -= 1

    async def _pieces(
        self, control_room_id: str, after: int, good: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[bytes, None]:
        """What is sent, piece by piece; ends when the key is revoked, or the database away."""
        try:
            yield f"retry: {RETRY_MS}\n: from {after}\n\n".encode()
            while True:
                if not await good():
                    return
                written = await feed.read(self._db, control_room_id, after=after, limit=PAGE)
                if written:
                    after = written[-1].feed_pos
                    yield b"".join(map(_piece, written))
                    if len(written) < PAGE:
                        await asyncio.sleep(GATHER_S)
                elif not await self._later_than(control_room_id, after, COMMENT_S):
                    yield b": \n\n"
        except DATABASE_AWAY:
            return


class EventStream(Response):
    """Sends pieces until they end, the reader goes or takes none for ``WRITE_S_MAX``, or all stops.

    ``ended`` is called when nothing is sent any more.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], stopping: asyncio.Event, ended: Callable[[], None]
    ) -> None:
        super().__init__(
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type=EVENT_STREAM
        )
        del self.headers["content-length"]
        self._pieces = pieces
        self._stopping = stopping
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        try:
            await self._follow(receive, send)
        finally:
            self._ended()

    async def _follow(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send(send))
        others = [asyncio.create_task(_gone(receive)), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait([sending, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, *others):
                task.cancel()
            ends = await asyncio.gather(sending, *others, return_exceptions=True)
        # To one who takes nothing even the end can not be sent: the server closes what is not ended.
        if not isinstance(ends[0], TimeoutError):
            await _in_time(send({"type": "http.response.body", "body": b""}))

    async def _send(self, send: Send) -> None:
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await _in_time(send({"type": "http.response.body", "body": piece, "more_body": True}))


async def _in_time(sending: Awaitable[None]) -> None:
    async with asyncio.timeout(WRITE_S_MAX):
        await sending


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _after(text: str | None, newest: int) -> int:
    """The position to go on from; ``newest`` without one. A position still to come is a mistake."""
    if text is None:
        return newest
    if not (text.isascii() and text.isdecimal() and len(text) <= 18) or int(text) > newest:
        raise invalid((HEADER, "is no position of this feed"))
    return int(text)


def _piece(written: feed.Written) -> bytes:
    shown = views.event(written.incident_id, written.seq, written.event)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (written.feed_pos, shown.type.encode(), views.encode(shown))
