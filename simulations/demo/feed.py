"""The control room's feed, `GET /v1/events`, read as Server-Sent Events.

After a break it goes on where it was.

The format: WHATWG HTML, section 9.2 "Server-sent events": fields by line, an empty line ends an event.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec

Event = dict[str, Any]

RETRY_S = 0.5


async def follow(http: aiohttp.ClientSession, last_id: str | None = None) -> AsyncIterator[Event]:
    """Events after feed position `last_id` (None: from now on), over as many connections as it takes."""
    while True:
        with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            async for position, event in _read(http, last_id):
                last_id = position or last_id
                yield event
        await asyncio.sleep(RETRY_S)


async def _read(http: aiohttp.ClientSession, last_id: str | None) -> AsyncIterator[tuple[str, Event]]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id is not None else {})
    forever = aiohttp.ClientTimeout(total=None, sock_read=60.0)
    async with http.get("/v1/events", headers=headers, timeout=forever, raise_for_status=True) as response:
        fields: dict[str, str] = {}
        async for raw in response.content:
            line = raw.decode().rstrip("\r\n")
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            if "data" in fields:
                yield fields.get("id", ""), msgspec.json.decode(fields["data"])
            fields = {}
