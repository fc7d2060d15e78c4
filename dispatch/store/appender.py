"""The only write path of events: all decisions that became ready while the last commit was in flight, in one.

A batch is one call of the database function ``append`` and one commit. What the database refuses is tried
again singly, so that one bad decision fails alone. Where the connection is lost, nobody knows whether the
commit was reached: it is read back by ``append_id`` before anything is written again, and once more should
the second try be refused, since the first may still have been on its way. What is lost is lost for all of the
batch: none waits longer than the first for a database that has gone.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import asyncpg

from dispatch import fault_points
from dispatch.ids import CHANCE, RandBits
from dispatch.store.append_rows import Row, Rows, arguments, rows_of
from dispatch.store.appends import (
    Append,
    Claim,
    ClaimConflict,
    Conflict,
    Fenced,
    KeyTaken,
    ReferenceTaken,
    SeqConflict,
    Unavailable,
)
from dispatch.store.commit_times import CommitTimes
from dispatch.store.statements import statements
from dispatch.store.told import Told

APPENDS_A_BATCH_MAX = 64
_URGENT, _ORDINARY, _END = range(3)
PATIENCE_S = 10.0
"""How long an append waits for a database that went away before it is given up as ``Unavailable``."""
WRITE_S_MAX = 10.0
READ_S_MAX = 3.0
"""Within which a connection answers what takes no lock; else it is as dead as the last one."""
PAUSE_S_MAX = 1.0
AGAIN_MAX = 10
"""How often an append is tried again after a deadlock, or after a claim in the way that has since gone."""

_SQL = statements("appender")
_INCIDENT_KEY = "incident_pkey"
_CLAIM_RULE = "alert_one_claim_a_medic"

# The connection broke, or the server can not write at present: what was asked may or may not have been done.
_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
)
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class _Job:
    """One append on its way. ``in_doubt``: a try of it may have been committed unseen; ``ended``: no more."""

    __slots__ = ("append_id", "done", "ended", "give_up_at", "in_doubt", "rows", "tries", "urgent")

    def __init__(
        self, rows: Rows, append_id: int, loop: asyncio.AbstractEventLoop, patience_s: float, *, urgent: bool
    ) -> None:
        self.rows = rows
        self.append_id = append_id
        self.urgent = urgent
        self.done: asyncio.Future[dict[str, int]] = loop.create_future()
        self.give_up_at = loop.time() + patience_s
        self.in_doubt = self.ended = False
        self.tries = 0

    @property
    def incident_ids(self) -> list[str]:
        return [row[0] for row in self.rows.streams]

    @property
    def opens(self) -> str:
        """The incident that it opens; a decision opens one at most."""
        opened: str = next(incident_id for incident_id, seq, *_ in self.rows.streams if seq == 1)
        return opened

    def succeed(self, positions: dict[str, int], told: Told) -> None:
        self.ended = True
        own = {incident_id: positions[incident_id] for incident_id in self.incident_ids}
        if self.urgent:
            self._tell(own)
        else:
            told.tell(partial(self._tell, own))

    def fail(self, error: BaseException) -> None:
        self.ended = True
        if not self.done.done():
            self.done.set_exception(error)

    def _tell(self, positions: dict[str, int]) -> None:
        if not self.done.done():  # its caller may have been cancelled; what is written is written
            self.done.set_result(positions)


class Living(Protocol):
    """A node's membership: ``id`` is that of its life now."""

    @property
    def id(self) -> str: ...


class Appender:
    """Writes appends in the order in which they come, the urgent ones first; one for each node.

    Its queue is as long as those who append let it be: each holds what it wrote until it is answered.

    ``node`` is in whose name it writes: it has what it decided, and the notifications that were requested.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        node: Living,
        *,
        patience_s: float = PATIENCE_S,
        randbits: RandBits = CHANCE,
    ) -> None:
        self._pool = pool
        self._node = node
        self._patience_s = patience_s
        self._randbits = randbits
        self.times = CommitTimes()
        self._queue: asyncio.PriorityQueue[tuple[int, int, _Job | None]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._held_over: _Job | None = None
        self._connection: asyncpg.pool.PoolConnectionProxy | None = None
        self._writer: asyncio.Task[None] | None = None
        self._told = Told()
        self._closing = False

    async def start(self) -> None:
        self._writer = asyncio.create_task(self._write_all(), name="appender")

    async def close(self) -> None:
        """Takes no more appends, brings those taken to an end, and gives the connection back."""
        if self._writer is None or self._closing:
            return
        self._closing = True
        self._put(_END, None)
        await self._writer
        await self._disconnect(broken=False)

    @property
    def waiting(self) -> int:
        """How many appends wait for the commit in flight."""
        return self._queue.qsize()

    async def append(
        self, work: Append, *, urgent: bool = True, meanwhile: Callable[[], None] | None = None
    ) -> dict[str, int]:
        """Committed when it returns: the feed position of each incident's last event.

        ``meanwhile`` is called while the database has it, or it waits for that; it may still be refused.
        Raises SeqConflict, ClaimConflict, Fenced, KeyTaken or ReferenceTaken when refused, Unavailable when
        it is not known whether it was written. A caller who is cancelled leaves the write going on.
        """
        if self._closing:
            raise RuntimeError("the appender is closing")
        append_id = self._randbits(63)
        rows = rows_of(work, append_id=append_id)
        job = _Job(rows, append_id, asyncio.get_running_loop(), self._patience_s, urgent=urgent)
        self._put(_URGENT if urgent else _ORDINARY, job)
        if meanwhile is not None:
            await asyncio.sleep(0)  # the writer's turn first
            meanwhile()
        return await job.done

    def _put(self, rank: int, job: _Job | None) -> None:
        self._queue.put_nowait((rank, next(self._numbers), job))

    async def _write_all(self) -> None:
        while batch := await self._next_batch():
            try:
                await self._settle(batch)
            except Exception as error:  # a mistake of ours fails its batch, not the node
                for job in batch:
                    job.fail(error)

    async def _next_batch(self) -> list[_Job]:
        """Waits for one append, and takes what else is ready; empty at the end.

        An incident is in a batch once: a second append to it can only follow the first.
        """
        first = self._held_over or (await self._queue.get())[2]
        self._held_over = None
        if first is None:
            return []
        batch, seen = [first], set(first.incident_ids)
        while len(batch) < APPENDS_A_BATCH_MAX and not self._queue.empty():
            job = self._queue.get_nowait()[2]
            if job is None:
                self._put(_END, None)
                break
            if not seen.isdisjoint(job.incident_ids):
                self._held_over = job
                break
            batch.append(job)
            seen.update(job.incident_ids)
        return batch

    async def _settle(self, jobs: list[_Job]) -> None:
        """Brings every job to an end, through lost connections until their patience ends."""
        pause_s = 0.0
        while jobs:
            try:
                jobs = await self._attempt(await self._unwritten(jobs))
            except _LOST as error:
                if isinstance(error, ValueError):  # asyncpg's word for an argument it can not encode
                    raise
                await self._disconnect(broken=True)
                jobs = _still_patient(jobs, error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s + 0.05, PAUSE_S_MAX)

    async def _attempt(self, jobs: list[_Job]) -> list[_Job]:
        """Writes the jobs together, or singly where that is refused. Returns those to be tried again.

        A fence refuses them all.
        """
        if not jobs:
            return []
        try:
            positions = await self._write(jobs)
        except asyncpg.PostgresError as error:
            if isinstance(error, _LOST):
                raise
            one_for_all = len(jobs) == 1 or isinstance(_conflict(error), Fenced)
            again: list[_Job] = []
            for job in jobs:
                if one_for_all:
                    again += await self._refused(job, error)
                else:
                    again += await self._attempt([job])
            return again
        for job in jobs:
            job.succeed(positions, self._told)
        return []

    async def _write(self, jobs: list[_Job]) -> dict[str, int]:
        rows = arguments([job.rows for job in jobs])
        connection = await self._connected()
        fault_points.reached("before_append")
        with self.times.timing():
            before: Sequence[int] = await connection.fetchval(
                _SQL["append"], *rows, self._node.id, timeout=WRITE_S_MAX
            )
        fault_points.reached("committed")
        return {incident_id: before[place - 1] + offset for incident_id, place, offset, *_ in rows[1]}

    async def _refused(self, job: _Job, error: asyncpg.PostgresError) -> list[_Job]:
        """Tells one job why it was refused, or gives it back to be tried again."""
        if not await self._unwritten([job]):
            return []
        job.tries += 1
        if isinstance(error, _AGAIN):
            if job.tries < AGAIN_MAX:
                return [job]
            job.fail(Unavailable(f"{error.sqlstate}: {error}"))
        elif (rule := getattr(error, "constraint_name", None)) == _INCIDENT_KEY:
            job.fail(SeqConflict(job.opens))
        elif rule == _CLAIM_RULE:
            claims = await self._claims_in_the_way(job.rows)
            if not claims and job.tries < AGAIN_MAX:
                return [job]
            job.fail(ClaimConflict(claims))
        else:
            job.fail(_conflict(error) or error)
        return []

    async def _claims_in_the_way(self, rows: Rows) -> tuple[Claim, ...]:
        """What the medics of this append hold, but for what the append itself ends or holds."""
        asked: list[Row] = [row for row in rows.alerts if row[-1] is not None and not row[-2]]
        held: list[Row] = [row for row in rows.holds if row[-1] is not None]
        own = {row[:2] for row in (*rows.alerts, *rows.holds)}
        connection = await self._connected()
        medic_ids = [row[2] for row in asked]
        found = await connection.fetch(_SQL["claims_of"], medic_ids, held, timeout=READ_S_MAX)
        claims = (Claim(*row) for row in found)
        return tuple(claim for claim in claims if (claim.incident_id, claim.n) not in own)

    async def _unwritten(self, jobs: list[_Job]) -> list[_Job]:
        """Ends the jobs in doubt that turn out to have been written; returns the others."""
        doubtful = [job for job in jobs if job.in_doubt]
        if not doubtful:
            return jobs
        connection = await self._connected()
        streams = [(row[0], job.append_id) for job in doubtful for row in job.rows.streams]
        found = await connection.fetch(_SQL["find_streams"], *_columns(streams, 2), timeout=READ_S_MAX)
        keys = [(row[0], row[1], job.append_id) for job in doubtful for row in job.rows.keys]
        written = {row["append_id"] for row in found}
        kept = await connection.fetch(_SQL["find_keys"], *_columns(keys, 3), timeout=READ_S_MAX)
        written |= {row["append_id"] for row in kept}
        positions = {row["incident_id"]: row["feed_pos"] for row in found}
        for job in doubtful:
            if job.append_id in written:
                job.succeed(positions, self._told)
        return [job for job in jobs if job.append_id not in written]

    async def _connected(self) -> asyncpg.pool.PoolConnectionProxy:
        """One connection as long as it lives: a pool's reset between uses would be a round trip a batch."""
        if self._connection is None:
            self._connection = await self._pool.acquire()
            await self._connection.execute(_SQL["by_index"], timeout=READ_S_MAX)
        return self._connection

    async def _disconnect(self, *, broken: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if broken:
            # What broke one has most likely broken the idle ones, though nobody has found out yet.
            await self._pool.expire_connections()
            # The pool takes back what broke by itself.
            with contextlib.suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
                connection.terminate()
        await self._pool.release(connection)


def _columns(rows: Sequence[Row], width: int) -> list[list[object]]:
    return [[row[i] for row in rows] for i in range(width)]


def _still_patient(jobs: list[_Job], error: Exception) -> list[_Job]:
    """Puts those of the jobs that have not ended in doubt, and gives up those whose time is over."""
    now = asyncio.get_running_loop().time()
    jobs = [job for job in jobs if not job.ended]
    for job in jobs:
        job.in_doubt = True
        if now >= job.give_up_at:
            job.fail(Unavailable(f"{type(error).__name__}: {error}"))
    return [job for job in jobs if now < job.give_up_at]


def _conflict(error: asyncpg.PostgresError) -> Conflict | None:
    """The refusals of the function ``append``; None: a mistake of ours."""
    detail = error.detail or ""
    match error.sqlstate:
        case "DP001":
            return SeqConflict(detail)
        case "DP002":
            return KeyTaken(detail)
        case "DP003":
            return ReferenceTaken(detail)
        case "DP005":
            return Fenced(detail)
    return None
