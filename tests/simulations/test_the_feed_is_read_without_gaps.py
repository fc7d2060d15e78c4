"""The demo's reader of Server-Sent Events: after a break it goes on right after the last event it had."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from simulations.demo import feed

EVENTS = 10


@asynccontextmanager
async def served(events_per_connection: int) -> AsyncIterator[tuple[aiohttp.ClientSession, list[str | None]]]:
    """A feed of `EVENTS` events that breaks off after so many; the Last-Event-IDs that it was asked for."""
    asked: list[str | None] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Last-Event-ID"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first = int(asked[-1] or 0) + 1
        for position in range(first, min(first + events_per_connection, EVENTS + 1)):
            event = json.dumps({"id": f"e{position}", "type": "IncidentOpened"})
            text = f": still here\n\nid: {position}\nevent: IncidentOpened\ndata: {event}\n\nid: 99\nda"
            await response.write(text.encode())
        if request.transport is not None:
            request.transport.abort()
        return response

    application = web.Application()
    application.router.add_get("/v1/events", stream)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield http, asked
    finally:
        await runner.cleanup()


async def test_every_event_comes_once_and_in_order_over_broken_connections(monkeypatch):
    monkeypatch.setattr(feed, "RETRY_S", 0.01)
    async with served(events_per_connection=3) as (http, asked), asyncio.timeout(20):
        got: list[str] = []
        async for event in feed.follow(http, "0"):
            got.append(event["id"])
            if len(got) == EVENTS:
                break
    assert got == [f"e{number}" for number in range(1, EVENTS + 1)]
    assert asked == ["0", "3", "6", "9"]


async def test_without_a_position_it_asks_for_what_comes_from_now_on():
    async with served(events_per_connection=3) as (http, asked), asyncio.timeout(20):
        async for _ in feed.follow(http):
            break
    assert asked == [None]
