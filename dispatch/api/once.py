"""Idempotency-Key: a POST that is repeated does nothing twice.

The key's row is written in the same commit as what it did. A repeat answers 200 with the thing as it now is;
a twin still under way on this node is waited for, one on another node is settled by the database.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dispatch.api.problem import Problem, invalid
from dispatch.api.reading import content_of
from dispatch.auth import Key
from dispatch.core.commands import Refused
from dispatch.store.appends import KeyTaken, ReferenceTaken, Remembered

KEY_LENGTH_MAX = 200
HEADER = "Idempotency-Key"

Remember = Callable[[str], Remembered]
"""Makes the row for the subject: the id that the answer is read from."""


class Find(Protocol):
    """Asks the store for a control room's key."""

    async def __call__(self, control_room_id: str, key: str) -> Remembered | None: ...


class Once:
    """Wraps what a POST does. ``do`` is given ``Remember`` (None without a key), ``again`` the subject."""

    def __init__(self, find: Find, now_ms: Callable[[], int]) -> None:
        self._find = find
        self._now_ms = now_ms
        self._under_way: dict[tuple[str, str], asyncio.Lock] = {}

    async def __call__(
        self,
        request: Request,
        key: Key,
        body: bytes,
        do: Callable[[Remember | None], Awaitable[Response]],
        again: Callable[[str], Awaitable[Response]],
    ) -> Response:
        name = request.headers.get(HEADER)
        if name is None:
            return await do(None)
        if not 0 < len(name) <= KEY_LENGTH_MAX:
            raise invalid((HEADER, f"must have 1 to {KEY_LENGTH_MAX} characters"))
        slot = (key.control_room_id, name)
        lock = self._under_way.setdefault(slot, asyncio.Lock())
        try:
            async with lock:
                return await self._first_or_again(slot, _hash(request, body), do, again)
        finally:
            if not lock.locked():
                self._under_way.pop(slot, None)

    async def _first_or_again(
        self,
        slot: tuple[str, str],
        request_hash: bytes,
        do: Callable[[Remember | None], Awaitable[Response]],
        again: Callable[[str], Awaitable[Response]],
    ) -> Response:
        """Tries first, since hardly any request is a repeat, and asks the store where that is refused."""
        room_id, name = slot
        try:
            return await do(lambda subject: Remembered(room_id, name, request_hash, subject, self._now_ms()))
        except (KeyTaken, ReferenceTaken, Refused, Problem):
            known = await self._find(room_id, name)
            if known is None:
                raise
        if known.request_hash != request_hash:
            raise Problem("key_reused")
        return await again(known.subject)


def _hash(request: Request, body: bytes) -> bytes:
    """What was asked: method, path and the document itself, however it was spelled."""
    document = content_of(msgspec.json.decode(body)) if body else {}
    asked = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(asked + msgspec.json.encode(document, order="sorted")).digest()
