"""The model of the database behind as much of asyncpg's interface as the service uses.

Whatever is asked goes through a `Network`, which may lose the request, lose the reply, delay either, or end
the connection. The default does nothing of the kind. Unrealistic: a pool resets a connection that comes back
without a round trip, and sets a new one up in one; an argument of a type that asyncpg refuses is taken.
"""

import asyncio
import contextvars
from collections.abc import Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import asyncpg

from tests.simulator.database import Blocked, ModelDatabase, Session, Transaction
from tests.simulator.database_errors import NotModelled, error
from tests.simulator.database_modelled import Statement
from tests.simulator.database_of_medics import add_medics

COMMAND_S_MAX = 30.0
LOCK_S_MAX = 10.0
"""As `dispatch.store.database` has them; changed where its are."""
COPY = {"medic": Statement(add_medics, tuple)}

Answer = TypeVar("Answer")


class Network:
    """The way between a connection and the database, here one without faults.

    A faulty one raises what asyncpg would raise, having called ``connection.terminate()`` where the
    connection is lost. It may run ``execute`` and never tell, or later, or not at all. What ``execute``
    raises is an answer too (also `Blocked`, which the connection sees to): passed on, where it is not lost.
    """

    async def call(self, connection: "ModelConnection", execute: Callable[[], Answer]) -> Answer:
        await asyncio.sleep(0)  # others' turn, as in every round trip
        return execute()

    def deliver(self, connection: "ModelConnection", hear: Callable[[], None]) -> None:
        """A notification on its way to who listens; called in the context in which he began to listen."""
        asyncio.get_running_loop().call_soon(hear)


class ModelConnection:
    """``session`` is the server's side of it, which lives on where the client goes without a word."""

    def __init__(
        self, database: ModelDatabase, network: Network, *, command_s_max: float | None = COMMAND_S_MAX
    ) -> None:
        self.session: Session | None = None
        self._database = database
        self._network = network
        self._command_s_max = command_s_max
        self._busy = False
        self._closed = False
        self.sql = ""
        """What it was asked last."""
        self._waits: asyncio.Future[None] | None = None
        self._awaits: asyncio.Future[Any] | None = None
        self._patient_until_s: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._listeners: dict[str, dict[Callable[..., None], contextvars.Context]] = {}
        self._termination_listeners: dict[Callable[..., None], contextvars.Context] = {}
        self.on_end: Callable[[ModelConnection], None] = lambda _: None
        """Tells its pool, once."""

    @classmethod
    async def connect(
        cls, database: ModelDatabase, network: Network, *, command_s_max: float | None = COMMAND_S_MAX
    ) -> "ModelConnection":
        connection = cls(database, network, command_s_max=command_s_max)
        connection.session = await network.call(connection, database.connect)
        connection.session.hear = connection._hear
        return connection

    # --- statements

    async def fetch(self, sql: str, *arguments: Any, timeout: float | None = None) -> list[Any]:
        self.sql = sql
        return await self._run(self._database.statement(sql), arguments, timeout)

    async def fetchrow(self, sql: str, *arguments: Any, timeout: float | None = None) -> Any:
        rows = await self.fetch(sql, *arguments, timeout=timeout)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *arguments: Any, timeout: float | None = None) -> Any:
        rows = await self.fetch(sql, *arguments, timeout=timeout)
        return rows[0][0] if rows else None

    async def execute(self, sql: str, *arguments: Any, timeout: float | None = None) -> str:
        """Unrealistic: the command's tag is empty."""
        await self.fetch(sql, *arguments, timeout=timeout)
        return ""

    async def copy_records_to_table(self, table: str, *, records: Iterable[Sequence[Any]]) -> str:
        if table not in COPY:
            raise NotModelled(f"a copy into {table}")
        await self._run(COPY[table], (list(records),), None)
        return ""

    async def cursor(self, sql: str, *arguments: Any) -> "ModelCursor":
        if self._session().transaction is None:
            raise asyncpg.NoActiveSQLTransactionError("cursor cannot be created outside of a transaction")
        return ModelCursor(self, await self.fetch(sql, *arguments))

    def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> "ModelTransaction":
        if isolation not in (None, "read_committed", "repeatable_read"):
            raise NotModelled(f"isolation {isolation}")
        return ModelTransaction(self, snapshot=isolation == "repeatable_read", readonly=readonly)

    def is_in_transaction(self) -> bool:
        return self.session is not None and self.session.transaction is not None

    # --- listening

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None:
        if channel not in self._listeners:
            session = self._session()
            await self.ask(lambda: session.listens.update({channel: None}))
        self._listeners.setdefault(channel, {})[callback] = contextvars.copy_context()

    async def remove_listener(self, channel: str, callback: Callable[..., None]) -> None:
        if self.is_closed() or self._listeners.get(channel, {}).pop(callback, None) is None:
            return
        if not self._listeners[channel]:
            del self._listeners[channel]
            session = self._session()
            await self.ask(lambda: session.listens.pop(channel, None))

    def add_termination_listener(self, callback: Callable[..., None]) -> None:
        self._termination_listeners[callback] = contextvars.copy_context()

    def remove_termination_listener(self, callback: Callable[..., None]) -> None:
        self._termination_listeners.pop(callback, None)

    # --- its life

    def is_closed(self) -> bool:
        return self._closed

    async def close(self, *, timeout: float | None = None) -> None:
        self.terminate()

    def terminate(self) -> None:
        """The connection is lost, on both sides: what was not committed is undone, and who waits is told."""
        if self._closed:
            return
        self._closed = True
        self._listeners.clear()
        if self.session is not None:
            self.session.end()
        if self._waits is not None and not self._waits.done():
            self._waits.set_exception(_lost())
        loop = asyncio.get_running_loop()
        for callback, context in self._termination_listeners.items():
            loop.call_soon(callback, self, context=context)
        self._termination_listeners.clear()
        self.on_end(self)

    def reset(self) -> None:
        """As a pool leaves it for the next."""
        self._listeners.clear()
        self._session().reset()

    async def ask(self, execute: Callable[[], Answer], timeout: float | None = None) -> Answer:
        """One round trip, of which there is one at a time; and the wait for others' rows, where needed."""
        self._session()
        if self._busy:
            raise asyncpg.InterfaceError("cannot perform operation: another operation is in progress")
        seconds = self._command_s_max if timeout is None else timeout
        self._busy = True
        try:
            if seconds is None:
                return await self._answer(execute)
            self._be_patient(seconds)
            return await self._answer(execute)
        finally:
            self._busy, self._patient_until_s = False, None

    async def waiting_for(self, reply: "asyncio.Future[Answer]") -> Answer:
        """What comes; TimeoutError where that takes longer than the statement may. For the network."""
        self._awaits = reply
        try:
            return await reply
        finally:
            self._awaits = None

    def _be_patient(self, seconds: float) -> None:
        """One alarm serves all that is asked while it is set, since hardly any answer takes so long."""
        loop = asyncio.get_running_loop()
        until_s = self._patient_until_s = loop.time() + seconds
        if self._alarm is not None and self._alarm.when() > until_s:
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None:
            self._alarm = loop.call_at(until_s, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        self._alarm = None
        until_s, loop = self._patient_until_s, asyncio.get_running_loop()
        if until_s is None:
            return
        if until_s > loop.time():
            self._alarm = loop.call_at(until_s, self._look_at_the_clock)
        elif self._awaits is not None and not self._awaits.done():
            self._awaits.set_exception(TimeoutError())

    async def _run(
        self, statement: Statement, arguments: tuple[Any, ...], timeout: float | None
    ) -> list[Any]:
        session = self._session()
        return await self.ask(lambda: session.execute(statement, arguments), timeout)

    async def _answer(self, execute: Callable[[], Answer]) -> Answer:
        while True:
            try:
                return await self._network.call(self, execute)
            except Blocked as blocked:
                owner = blocked.by
            await self._wait_for(owner)

    async def _wait_for(self, transaction: Transaction) -> None:
        """Until a transaction is over. Raises as Postgres does for who has waited too long."""
        waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not waits.done():
                waits.set_result(None)

        transaction.ended.append(wake)
        self._waits = waits
        try:
            async with asyncio.timeout(LOCK_S_MAX) as patience:
                await self.waiting_for(waits)
        except TimeoutError:
            if not patience.expired():  # the command's own time was over before
                raise
            session = self._session()
            if session.transaction is not None:
                session.transaction.failed = True
            raise error("55P03", "canceling statement due to lock timeout") from None
        finally:
            self._waits = None

    def _session(self) -> Session:
        if self._closed or self.session is None:
            raise asyncpg.InterfaceError("connection is closed")
        if not self.session.open:  # the server ended it; the client learns of it now
            self.terminate()
            raise _lost()
        return self.session

    def _hear(self, number: int, channel: str, payload: str) -> None:
        for callback, context in list(self._listeners.get(channel, {}).items()):

            def hear(callback: Callable[..., None] = callback) -> None:
                if callback in self._listeners.get(channel, {}):
                    callback(self, number, channel, payload)

            context.copy().run(self._network.deliver, self, hear)


class ModelTransaction:
    """BEGIN, and COMMIT or ROLLBACK: a round trip each."""

    def __init__(self, connection: ModelConnection, *, snapshot: bool, readonly: bool) -> None:
        self._connection = connection
        self._snapshot, self._readonly = snapshot, readonly

    async def start(self) -> None:
        session = self._connection._session()
        if session.transaction is not None:
            raise NotModelled("a transaction within a transaction")
        await self._connection.ask(lambda: session.begin(snapshot=self._snapshot, readonly=self._readonly))

    async def commit(self) -> None:
        await self._connection.ask(self._connection._session().commit)

    async def rollback(self) -> None:
        await self._connection.ask(self._connection._session().rollback)

    async def __aenter__(self) -> "ModelTransaction":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._connection.is_closed() and kind is GeneratorExit:
            return
        await (self.commit() if kind is None else self.rollback())


class ModelCursor:
    """Has its rows as of the moment in which it was opened."""

    def __init__(self, connection: ModelConnection, rows: list[Any]) -> None:
        self._connection = connection
        self._rows = rows

    async def fetch(self, count: int) -> list[Any]:
        def take() -> list[Any]:
            taken, self._rows = self._rows[:count], self._rows[count:]
            return taken

        return await self._connection.ask(take)


class ModelPool:
    """Connections that are used again, the last one given back first; ``max_size`` at a time."""

    def __init__(
        self,
        database: ModelDatabase,
        network: Network | None = None,
        *,
        max_size: int = 10,
        command_s_max: float | None = COMMAND_S_MAX,
    ) -> None:
        self.database = database
        self.network = network or Network()
        self._idle: list[ModelConnection] = []
        self._in_use: dict[ModelConnection, None] = {}
        self._room = asyncio.Semaphore(max_size)
        self._command_s_max = command_s_max
        self._closing = False
        self._all_back = asyncio.Event()

    def acquire(self, *, timeout: float | None = None) -> "_Acquire":
        return _Acquire(self)

    async def release(self, connection: ModelConnection, *, timeout: float | None = None) -> None:
        """One that was lost has come back already."""
        if connection.session is not None and not connection.session.open:
            connection.terminate()
        if connection in self._in_use:
            connection.reset()
            self._idle.append(connection)
            self._back(connection)

    async def expire_connections(self) -> None:
        """Those that are idle are not used again."""
        for connection in tuple(self._idle):
            connection.terminate()

    async def fetch(self, sql: str, *arguments: Any, timeout: float | None = None) -> list[Any]:
        async with self.acquire() as connection:
            return await connection.fetch(sql, *arguments, timeout=timeout)

    async def fetchrow(self, sql: str, *arguments: Any, timeout: float | None = None) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchrow(sql, *arguments, timeout=timeout)

    async def fetchval(self, sql: str, *arguments: Any, timeout: float | None = None) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchval(sql, *arguments, timeout=timeout)

    async def execute(self, sql: str, *arguments: Any, timeout: float | None = None) -> str:
        async with self.acquire() as connection:
            return await connection.execute(sql, *arguments, timeout=timeout)

    def get_size(self) -> int:
        return len(self._in_use) + len(self._idle)

    def get_idle_size(self) -> int:
        return len(self._idle)

    @property
    def connections(self) -> list[ModelConnection]:
        """All that are open, in use or not."""
        return [*self._in_use, *self._idle]

    def is_closing(self) -> bool:
        return self._closing

    async def close(self) -> None:
        """Returns when all connections have come back."""
        self._closing = True
        while self._in_use:
            self._all_back.clear()
            await self._all_back.wait()
        self.terminate()

    def terminate(self) -> None:
        """Ends all connections at once, those in use too."""
        self._closing = True
        for connection in self.connections:
            connection.terminate()

    async def _acquire(self) -> ModelConnection:
        if self._closing:
            raise asyncpg.InterfaceError("pool is closing")
        await self._room.acquire()
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
        except BaseException:
            self._room.release()
            raise
        self._in_use[connection] = None
        return connection

    async def _connect(self) -> ModelConnection:
        connection = await ModelConnection.connect(
            self.database, self.network, command_s_max=self._command_s_max
        )
        connection.on_end = self._ended
        return connection

    def _ended(self, connection: ModelConnection) -> None:
        if connection in self._in_use:
            self._back(connection)
        else:
            self._idle.remove(connection)

    def _back(self, connection: ModelConnection) -> None:
        del self._in_use[connection]
        self._room.release()
        if not self._in_use:
            self._all_back.set()


class _Acquire:
    """What ``acquire`` gives: awaited, a connection to be given back; as a context, one that is."""

    def __init__(self, pool: ModelPool) -> None:
        self._pool = pool
        self._connection: ModelConnection | None = None

    def __await__(self) -> Generator[Any, None, ModelConnection]:
        return self._pool._acquire().__await__()

    async def __aenter__(self) -> ModelConnection:
        self._connection = await self._pool._acquire()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        assert self._connection is not None
        await self._pool.release(self._connection)


def _lost() -> Exception:
    lost: Exception = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    return lost
