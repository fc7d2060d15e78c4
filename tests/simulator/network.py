"""One node's way to the database, and what goes wrong on it.

A request is executed when it arrives, whatever has become of its sender: the reply may be lost after a
commit, a request before it. A server that was slow goes on with what it had begun after its client has gone.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from random import Random
from typing import Any, NamedTuple

import asyncpg

from dispatch.store.database import CONNECT_S_MAX
from tests.simulator.database import Blocked, Session
from tests.simulator.database_errors import error
from tests.simulator.database_pool import Answer, ModelConnection, Network
from tests.simulator.links import Deliver, Faults, Link, Stream
from tests.simulator.loop import SimLoop

REFUSED = "connection refused"
CONFLICTS = (("deadlock detected", "40P01", 0.01), ("could not serialize access", "40001", 0.005))


class Outcome(NamedTuple):
    """``failure`` raised where there is one; ``lost``: the connection is gone."""

    value: Any = None
    failure: BaseException | None = None
    lost: bool = False


class FaultyNetwork(Network):
    """``up`` says whether the server takes connections; ``struck``: the node dies here."""

    def __init__(
        self, link: Link, loop: SimLoop, faults: Faults, up: Callable[[], bool], struck: Callable[[str], None]
    ) -> None:
        self._link, self._loop, self._faults, self._up, self._struck = link, loop, faults, up, struck
        self._random = Random(f"{link.name} network")
        self._streams: dict[ModelConnection, Stream] = {}
        self._deaf: dict[ModelConnection, None] = {}

    async def call(self, connection: ModelConnection, execute: Callable[[], Answer]) -> Answer:
        if connection.session is None and not self._may_connect():
            raise ConnectionRefusedError(111, REFUSED)
        reply: asyncio.Future[Outcome] = self._loop.create_future()
        self._request(connection, execute, reply)
        try:
            if connection.session is not None:
                outcome = await connection.waiting_for(reply)
            else:
                async with asyncio.timeout(CONNECT_S_MAX):
                    outcome = await reply
        except BaseException:
            connection.terminate()  # unrealistic: asyncpg cancels the statement, and keeps the connection
            raise
        if outcome.lost:
            connection.terminate()
        if outcome.failure is not None:
            raise outcome.failure
        answer: Answer = outcome.value
        return answer

    def deliver(self, connection: ModelConnection, hear: Callable[[], None]) -> None:
        """A listening connection may go silent without an error."""
        if connection in self._deaf or self._faults.happens("notification lost", 0.02):
            return
        if self._faults.happens("listener gone silent", 0.005):
            self._deaf[connection] = None
            return
        context = copy_context()
        self._link.send(lambda: self._loop.call_soon(hear, context=context) and None)

    def _may_connect(self) -> bool:
        if not self._up():
            self._faults.count("database away")
            return False
        return not self._faults.happens("connection refused", 0.03)

    def _request(
        self, connection: ModelConnection, execute: Callable[[], Any], reply: "asyncio.Future[Outcome]"
    ) -> None:
        happens = self._faults.happens
        stream = self._streams.get(connection)
        if stream is None:
            stream = self._streams[connection] = Stream(self._link, self._loop)

        def answer(outcome: Outcome) -> None:
            if not reply.done():
                reply.set_result(outcome)

        def arrive() -> None:
            if (session := connection.session) is not None and not self._up():
                session.end()
                self._link.send(lambda: answer(_lost("57P01")))
                return
            outcome = self._executed(connection, execute)
            if happens("node killed when the database has answered", 0.0005):
                self._struck("node killed when the database has answered")
            if happens("reply lost", 0.01):
                self._link.send(lambda: answer(_lost()))
            elif not happens("reply never comes", 0.002):
                self._link.send(lambda: answer(outcome))

        if happens("request lost", 0.01):
            self._link.send(lambda: answer(_lost()))
        elif connection.session is not None and happens("executed long after", 0.002):
            _outlive(connection.session, arrive, lambda late: self._link.send(late, after_s=self._late_s()))
        elif not happens("request never arrives", 0.002):
            stream.send(arrive)

    def _late_s(self) -> float:
        return self._random.uniform(2.0, 14.0)

    def _executed(self, connection: ModelConnection, execute: Callable[[], Any]) -> Outcome:
        session = connection.session
        if session is not None and session.open and _writes(connection.sql):
            for kind, sqlstate, share in CONFLICTS:
                if self._faults.happens(kind, share):
                    if session.transaction is not None:
                        session.transaction.failed = True
                    return Outcome(failure=error(sqlstate, kind))
        try:
            return Outcome(execute())
        except (Blocked, Exception) as failure:
            return Outcome(failure=failure)


@cache
def _writes(sql: str) -> bool:
    """A statement that takes locks: only such a one can be in others' way."""
    return "append(" in sql or "update" in sql or "insert" in sql or "delete" in sql


def _outlive(session: Session, arrive: Deliver, send: Callable[[Deliver], object]) -> None:
    """The server has the statement and is slow about it: its session ends after that, not with its client."""
    ended: list[bool] = []
    session.end = lambda: ended.append(True)  # type: ignore[method-assign]

    def late() -> None:
        arrive()
        del session.end
        if ended:
            session.end()

    send(late)


def _lost(sqlstate: str | None = None) -> Outcome:
    if sqlstate is not None:
        return Outcome(failure=error(sqlstate, "terminating connection"), lost=True)
    lost = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    return Outcome(failure=lost, lost=True)
