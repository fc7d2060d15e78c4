"""Readers of a feed, and what is in the table that they should have read."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from random import Random
from typing import NamedTuple

import asyncpg
import httpx

from dispatch.store import feed
from tests.http_client import http_client


class Seen(NamedTuple):
    """One event as a reader got it."""

    feed_pos: int
    incident_id: str
    seq: int


async def table(db: asyncpg.Pool, room: str) -> list[Seen]:
    """Every event of a control room, in the order of the feed."""
    rows = await db.fetch(
        "select feed_pos, incident_id, seq from event where control_room_id = $1 order by feed_pos", room
    )
    return [Seen(*row) for row in rows]


class Reader:
    """Polls the feed of a control room, and forgets at random what it has not kept: it disconnects."""

    def __init__(self, db: asyncpg.Pool, room: str, draw: Random) -> None:
        self._db, self.room, self._draw = db, room, draw
        self.seen: list[Seen] = []

    async def follow(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set and the end of the feed is reached."""
        while True:
            last = stop.is_set()
            if not await self._read() and last:
                return
            await asyncio.sleep(0)

    async def _read(self) -> bool:
        after = self.seen[-1].feed_pos if self.seen else 0
        page = await feed.read(self._db, self.room, after=after, limit=self._draw.randint(1, 9))
        kept = page if self._draw.random() < 0.7 else page[: self._draw.randint(0, len(page))]
        self.seen += [Seen(one.feed_pos, one.incident_id, one.seq) for one in kept]
        return bool(page)


@contextlib.asynccontextmanager
async def followed(db: asyncpg.Pool, rooms: tuple[str, ...], name: str) -> AsyncIterator[list[Reader]]:
    """Two readers of each control room's feed; at the end they have come to its end."""
    readers = [Reader(db, room, Random(f"{name} {room} {i}")) for room in rooms for i in range(2)]
    stop = asyncio.Event()
    following = [asyncio.create_task(reader.follow(stop)) for reader in readers]
    try:
        yield readers
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*following)


class Follower:
    """Follows a control room's feed over Server-Sent Events, as a client on the web does.

    It leaves at random, goes to any of the services, and goes on there with ``Last-Event-ID``. A service that
    is away is tried again.
    """

    def __init__(self, services: Callable[[], list[str]], key: str, draw: Random) -> None:
        self._services, self._draw = services, draw
        self._headers = {"Authorization": f"Bearer {key}"}
        self.seen: list[Seen] = []
        self.connected = 0

    @property
    def feed_pos(self) -> int:
        return self.seen[-1].feed_pos if self.seen else 0

    async def follow(self) -> None:
        """Until cancelled."""
        async with http_client(headers=self._headers, timeout=30) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await self._connect(client)
                await asyncio.sleep(0.01)

    async def _connect(self, client: httpx.AsyncClient) -> None:
        url = f"{self._draw.choice(self._services())}/v1/events"
        async with client.stream("GET", url, headers={"Last-Event-ID": str(self.feed_pos)}) as answer:
            if answer.status_code != 200:
                return
            self.connected += 1
            async with aclosing(answer.aiter_lines()) as lines:
                async for line in lines:
                    if line.startswith("id: "):
                        feed_pos = int(line[4:])
                    elif line.startswith("data: "):
                        event = json.loads(line[6:])
                        self.seen.append(Seen(feed_pos, event["incident_id"], event["seq"]))
                        if self._draw.random() < 0.1:
                            return

    async def until(self, feed_pos: int, timeout_s: float = 20.0) -> None:
        """Waits until it has read so far."""
        async with asyncio.timeout(timeout_s):
            while self.feed_pos < feed_pos:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def following(followers: list[Follower]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(follower.follow()) for follower in followers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
