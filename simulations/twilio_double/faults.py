"""What goes wrong with the next requests: told beforehand, taken in order, each noted when it was met."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiohttp import web

from simulations.twilio_double.errors import ERRORS, error_response

Call = Literal["create", "list"]
Kind = Literal["answer", "body", "hang", "reset", "trickle", "break"]
_CODES_BY_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


class Met(NamedTuple):
    """A request that met a fault, and the phone that it was about."""

    kind: Kind
    call: Call
    to: str
    accepted: bool


@dataclass
class Fault:
    """One kind of trouble for the next `times` requests about `to` (None: about any phone).

    `accepted`: the message is taken all the same. `answer`: an error as Twilio words it. `body`: this
    document instead of an answer. `trickle`: the true answer, one byte each `every_s`. `break`: half of it,
    then the connection breaks off.
    """

    kind: Kind
    call: Call = "create"
    times: int = 1
    accepted: bool = False
    to: str | None = None
    status: int = 500
    code: int | None = None
    retry_after: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    every_s: float = 0.1

    async def befall(self, request: web.Request, answer: bytes, closing: asyncio.Event) -> web.StreamResponse:
        """What the request gets; `answer` is the true one, `closing` is set when the server stops."""
        if self.kind == "answer":
            return self._error()
        if self.kind == "body":
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        if self.kind == "hang":
            await closing.wait()
        if self.kind in ("trickle", "break"):
            await self._begin(request, answer, closing)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _error(self) -> web.Response:
        code = self.code or _CODES_BY_STATUS.get(self.status, 20500)
        words = ERRORS.get(code, (self.status, "An error has occurred"))[1].format(to="")
        return error_response(self.status, code, words, self.retry_after)

    async def _begin(self, request: web.Request, answer: bytes, closing: asyncio.Event) -> None:
        """The answer's beginning, all of it when it trickles; returns early when nobody reads it any more."""
        begun = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
        begun.content_length = len(answer)
        with suppress(ConnectionError):
            await begun.prepare(request)
            if self.kind == "break":
                await begun.write(answer[: len(answer) // 2])
                return
            for at in range(len(answer)):
                await begun.write(answer[at : at + 1])
                with suppress(TimeoutError):
                    await asyncio.wait_for(closing.wait(), self.every_s)
                if closing.is_set() or request.transport is None:
                    return


class Faults:
    """The faults still to come, and those that were met."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []
        self.met: list[Met] = []

    def add(self, fault: Fault) -> None:
        self._coming.append(fault)

    def heal(self) -> None:
        """All is well from now on."""
        self._coming.clear()

    def take(self, call: Call, to: str) -> Fault | None:
        """The fault that this request meets."""
        for fault in self._coming:
            if fault.call == call and fault.to in (None, to):
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                self.met.append(Met(fault.kind, call, to, fault.accepted))
                return fault
        return None
