"""The socket of a medic's device: a plain ASGI app, since a connection is to cost next to nothing.

A connection is one task, uvicorn's own, that waits for the device's next frame; while something is to be sent
there is a second one. Frames of one socket are taken one by one, each answered once it is durable. What was
sent and not acknowledged is kept by the hub, not here. A device that says more than it may is read more
slowly, so that nothing it says is lost. So is one whose answer finds no room: it waits, and what comes after
it waits unread; only one that has waited for long gets ``error {code: unavailable}``.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
from starlette.types import Receive, Scope, Send

from dispatch import fault_points
from dispatch.api import frames
from dispatch.api.admission import Admission
from dispatch.api.checks import fix_of
from dispatch.api.connection import Connection
from dispatch.api.frames import BadFrame
from dispatch.api.latest_fixes import LatestFixes
from dispatch.api.problem import Problem
from dispatch.api.rates import Rates
from dispatch.api.routes import problem_of
from dispatch.auth import TokenDesk
from dispatch.core.events import Answer
from dispatch.deciding.backlog import Backlog
from dispatch.store.appends import Overloaded
from dispatch.times import rfc3339

PATH = "/v1/me/socket"
CHANNEL = "websocket"
HELLO_S_MAX = 5.0
ROOM_S_MAX = 3.0
"""How long an answer waits for room. A socket that is not read is not to miss a pong (20 s)."""
BAD_FRAME, BAD_TOKEN, NO_HELLO, OVERLOADED = 4400, 4401, 4408, 1013


class Welcome(msgspec.Struct, frozen=True, tag_field="type", tag="welcome"):
    medic_id: str
    server_time: str


class Error(msgspec.Struct, frozen=True, tag_field="type", tag="error", omit_defaults=True):
    """What was asked was not done; the socket stays open."""

    code: str
    title: str
    alert_id: str | None = None


_encoder = msgspec.json.Encoder()


def text_of(frame: Welcome | Error) -> str:
    return _encoder.encode(frame).decode()


class Medics(Protocol):
    """What a device may ask of the service."""

    async def answer(
        self, medic_id: str, alert_id: str, answer: Answer, channel: str
    ) -> Iterable[tuple[str, str]]: ...

    async def seen(self, medic_id: str, alert_id: str, channel: str) -> str: ...

    async def acknowledged(self, medic_id: str, message_id: str) -> None: ...

    def socket_opened(self, medic_id: str) -> None: ...

    def socket_closed(self, medic_id: str) -> None: ...


class Hub(Protocol):
    """Where the open sockets of this node are kept."""

    def connect(self, medic_id: str, connection: Connection) -> None: ...

    def disconnect(self, medic_id: str, connection: Connection) -> None: ...

    def tell_answered(self, medic_id: str, told: Iterable[tuple[str, str]]) -> None: ...


class SocketApp:
    """``open_max``: as many sockets as this node has room for; the next is told to go elsewhere (1013)."""

    def __init__(
        self,
        tokens: TokenDesk,
        medics: Medics,
        hub: Hub,
        fixes: LatestFixes,
        backlog: Backlog,
        admission: Admission,
        rates: Rates,
        now_ms: Callable[[], int],
        open_max: int,
    ) -> None:
        self._tokens = tokens
        self._medics = medics
        self._hub = hub
        self._fixes = fixes
        self._backlog, self._admission = backlog, admission
        self._rates = rates
        self._now_ms = now_ms
        self._open_max = open_max
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await receive()
        await send({"type": "websocket.accept"})
        connection = Connection(send)
        self.count += 1
        try:
            await self._serve(connection, receive)
        except BadFrame:
            connection.close(BAD_FRAME)
        finally:
            self.count -= 1
            await connection.sent()

    async def _serve(self, connection: Connection, receive: Receive) -> None:
        if self.count > self._open_max:
            connection.close(OVERLOADED)
            return
        medic_id = await self._hello(connection, receive)
        if medic_id is None:
            return
        connection.send(text_of(Welcome(medic_id, rfc3339(self._now_ms()))))
        self._hub.connect(medic_id, connection)
        try:
            self._medics.socket_opened(medic_id)
            await self._listen(medic_id, connection, receive)
        finally:
            self._hub.disconnect(medic_id, connection)
            self._medics.socket_closed(medic_id)

    async def _hello(self, connection: Connection, receive: Receive) -> str | None:
        """The medic whose device this is; None where it is not to be served, and closed with the reason."""
        try:
            async with asyncio.timeout(HELLO_S_MAX):
                message = await receive()
        except TimeoutError:
            connection.close(NO_HELLO)
            return None
        if message["type"] == "websocket.disconnect":
            connection.gone()
            return None
        hello = frames.read(message)
        if not isinstance(hello, frames.Hello):
            raise BadFrame
        try:
            medic_id = await self._tokens.medic(hello.token)
        except Exception as error:
            problem_of(error, PATH)
            connection.close(OVERLOADED)
            return None
        if medic_id is None:
            connection.close(BAD_TOKEN)
        return medic_id

    async def _listen(self, medic_id: str, connection: Connection, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                connection.gone()
                return
            frame = frames.read(message)
            await self._rates.device_turn(medic_id)
            if connection.closed_with == BAD_TOKEN:  # signed out: what waited unread is not hers any more
                return
            try:
                await self._take(medic_id, frame)
            except BadFrame:
                raise
            except Overloaded:
                connection.send(text_of(_told(frame, self._admission.shed("answer"))))
            except Exception as error:
                connection.send(text_of(_told(frame, problem_of(error, PATH))))

    async def _take(self, medic_id: str, frame: frames.AnyFrame) -> None:
        match frame:
            case frames.Ack():
                await self._medics.acknowledged(medic_id, frame.id)
            case frames.Position():
                self._fixes.put(fix_of(medic_id, frame, self._now_ms()))
            case frames.Seen():
                await self._backlog.room_for_answer(ROOM_S_MAX)
                await self._medics.seen(medic_id, frame.alert_id, CHANNEL)
            case frames.Hello():
                raise BadFrame
            case _:
                await self._backlog.room_for_answer(ROOM_S_MAX)
                self._fixes.take_hers(medic_id)
                answer = frames.ANSWER_OF[type(frame)]
                told = await self._medics.answer(medic_id, frame.alert_id, answer, CHANNEL)
                fault_points.reached("answer_committed")
                self._hub.tell_answered(medic_id, told)


def _told(frame: frames.AnyFrame, problem: Problem) -> Error:
    title = f"{problem.errors[0].field} {problem.errors[0].title}" if problem.errors else problem.title
    return Error(problem.code, title, getattr(frame, "alert_id", None))
