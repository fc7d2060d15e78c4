"""Who starts the server of a data dir, who stops it, and what happens when it dies.

Every process that uses a data dir's server holds `postgres.users.lock` shared. The first starts the server.
Whoever leaves and then gets that lock alone was the last, and stops it. `postgres.change.lock` makes each of
these one step. A process that is killed frees its locks and leaves the server running: the next takes it up.
"""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

import asyncpg

from dispatch.embedded_postgres.account import Account
from dispatch.embedded_postgres.cluster import DATABASE, Cluster, clean_environment
from dispatch.embedded_postgres.errors import PostgresUnavailable, unavailable
from dispatch.embedded_postgres.locks import FileLock, open_private
from dispatch.embedded_postgres.postmaster import PidFile, Postmaster, anybody_lives_in, find_postmaster

START_S_MAX = 300.0  # recovery after a crash replays up to max_wal_size
CHANGE_S_MAX = START_S_MAX + 30
LEFTOVERS_S_MAX = 30.0  # the processes of a killed postmaster notice at once, unless in the middle of a write
FAST_STOP_S_MAX = 60.0  # writes out all dirty pages
IMMEDIATE_STOP_S_MAX = 15.0  # the postmaster itself kills what does not go within 5 s
LOG_BYTES_MAX = 10_000_000
RESTART_PAUSE_S_MAX = 30.0

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Share:
    """One process's share in the server of a data dir."""

    def __init__(self, data_dir: Path) -> None:
        # Absolute, since the server's working directory is another than ours.
        self.cluster = Cluster(data_dir.absolute())
        self._users = FileLock(self.cluster.data_dir / "postgres.users.lock")
        self._change = FileLock(self.cluster.data_dir / "postgres.change.lock")
        self.postmaster: Postmaster | None = None
        self._socket_dir = self.cluster.path

    @property
    def dsn(self) -> str:
        return self.cluster.dsn(self._socket_dir)

    async def enter(self) -> None:
        """Takes up the running server or starts one. Raises PostgresUnavailable."""
        _make_data_dir(self.cluster.data_dir)
        async with self._changing():
            if not self._users.try_shared():
                raise PostgresUnavailable(f"{self._users.path} is locked", "Wait for whoever holds it.")
            try:
                await self._take_up_or_start()
            except BaseException:
                await self._leave()
                raise

    async def leave(self) -> None:
        """Stops the server unless somebody else uses it. A second call does nothing."""
        async with self._changing():
            await self._leave()

    async def revive(self) -> None:
        """Starts the server again after it died under us. Raises PostgresUnavailable."""
        async with self._changing():
            await self._take_up_or_start()

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        try:
            mine = await self._change.exclusive(CHANGE_S_MAX)
        except OSError as error:
            hint = "Use a --data-dir that can be written to."
            raise unavailable(f"cannot use {self.cluster.data_dir}", str(error), hint) from error
        if not mine:
            raise PostgresUnavailable("another command has been starting or stopping Postgres", "Try again.")
        try:
            yield
        finally:
            self._change.release()

    async def _leave(self) -> None:
        last = self._users.try_exclusive()
        postmaster, self.postmaster = self.postmaster, None
        try:
            if postmaster is not None and last:
                await _stop(postmaster)
                self.cluster.remove_socket_dir(self._socket_dir)
        finally:
            if postmaster is not None:
                postmaster.forget()
            self._users.release()

    async def _take_up_or_start(self) -> None:
        account = await _to_the_end(asyncio.to_thread(self.cluster.prepare))
        deadline = monotonic() + START_S_MAX
        if not await self._take_up(deadline):
            await self._start(account, deadline)
        await self._ensure_database()

    async def _take_up(self, deadline: float) -> bool:
        """Uses a server that runs already, or is starting. False if there is none, or it ended meanwhile."""
        pid_file = PidFile.read(self.cluster.path)
        postmaster = find_postmaster(self.cluster.path, pid_file) if pid_file else None
        if pid_file is None or postmaster is None:
            await self._clear_after_crash(pid_file)
            return False
        log.info("taking up the Postgres that already runs, pid %s", postmaster.pid)
        self._socket_dir = pid_file.socket_dir or self.cluster.path
        return await self._until_ready(postmaster, deadline)

    async def _clear_after_crash(self, pid_file: PidFile | None) -> None:
        """Removes the lock files of a killed server, once its last process, which may still write, is gone.

        Postgres would do so itself, but not while any process has the dead one's number: another now, as is
        common in a container, or the dead one, not yet reaped by a slow init.
        """
        if not self.cluster.has_locks():
            return
        deadline = monotonic() + LEFTOVERS_S_MAX
        while anybody_lives_in(self.cluster.path):
            if monotonic() > deadline:
                raise PostgresUnavailable(
                    f"processes of a server that died still run in {self.cluster.path}", "End them by hand."
                )
            await asyncio.sleep(0.05)
        self.cluster.clear_locks()
        if pid_file is not None and pid_file.socket_dir is not None:
            self.cluster.remove_socket_dir(pid_file.socket_dir)

    async def _start(self, account: Account, deadline: float) -> None:
        self._socket_dir = self.cluster.choose_socket_dir(account)
        child = self._spawn(account)
        if not await self._until_ready(Postmaster(child.pid, child), deadline):
            self.cluster.remove_socket_dir(self._socket_dir)
            hint = f"All it said is in {self.cluster.log_path}."
            raise unavailable("Postgres did not start", self.cluster.log_tail(), hint)

    def _spawn(self, account: Account) -> subprocess.Popen[bytes]:
        try:
            if self.cluster.log_path.exists() and self.cluster.log_path.stat().st_size > LOG_BYTES_MAX:
                self.cluster.log_path.replace(self.cluster.log_path.with_suffix(".log.1"))
            log_fd = open_private(self.cluster.log_path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise unavailable(
                f"cannot write {self.cluster.log_path}", str(error), "Check the folder."
            ) from error
        try:
            return subprocess.Popen(
                self.cluster.command(account, self._socket_dir),
                cwd=self.cluster.path,
                **account.run_as(),
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                start_new_session=True,  # Ctrl-C is for us: we stop the server when we are done with it
            )
        finally:
            os.close(log_fd)

    async def _until_ready(self, postmaster: Postmaster, deadline: float) -> bool:
        """Connects until it works; False if the process ended first. PostgresUnavailable at the limit."""
        self.postmaster = postmaster
        while not postmaster.has_ended():
            if await self._answers():
                return True
            if monotonic() > deadline:
                said = self.cluster.log_tail()
                raise unavailable(
                    "Postgres is not ready after minutes", said, f"See {self.cluster.log_path}."
                )
            await asyncio.sleep(0.02)
        self.postmaster = None
        postmaster.forget()
        return False

    async def _answers(self) -> bool:
        try:
            await (await self._connect("template1")).close()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False  # not yet listening, or recovering
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise PostgresUnavailable(
                f"the server of {self.cluster.path} does not let this user in",
                f"See {self.cluster.log_path}.",
            ) from error
        return True

    async def _ensure_database(self) -> None:
        try:
            connection = await self._connect("template1")
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE} template template0")
            await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            hint = f"See {self.cluster.log_path}."
            raise unavailable("Postgres started, but made no database", str(error), hint) from error

    async def _connect(self, database: str) -> "asyncpg.Connection":
        return await asyncpg.connect(self.cluster.dsn(self._socket_dir, database), timeout=30)


class EmbeddedPostgres:
    """The service's own server on a data dir: one at a time, started again when it dies.

    `on_death`, if given, is called with a sentence each time the server ended unexpectedly. While it is being
    brought back, `trouble` says so; otherwise it is None.
    """

    def __init__(self, data_dir: Path, on_death: Callable[[str], None] | None = None) -> None:
        self._share = Share(data_dir)
        self._service = FileLock(self._share.cluster.data_dir / "postgres.service.lock")
        self._on_death = on_death
        self._watch: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    @property
    def dsn(self) -> str:
        return self._share.dsn

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None while there is none."""
        return self._share.postmaster.pid if self._share.postmaster else None

    async def start(self) -> str:
        """Starts the server, or takes up one left running. Returns the DSN. Raises PostgresUnavailable."""
        _make_data_dir(self._share.cluster.data_dir)
        self._be_the_only_service()
        try:
            await self._share.enter()
        except BaseException:
            self._service.release()
            raise
        self._watch = asyncio.create_task(self._keep_running())
        return self.dsn

    async def stop(self) -> None:
        """Stops the server, or leaves that to a command that still uses it. A second call does nothing."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
            await self._share.leave()
            self._service.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _be_the_only_service(self) -> None:
        folder = self._share.cluster.data_dir
        try:
            if self._service.try_exclusive():
                self._service.note(str(os.getpid()))
                return
            holder = self._service.read_note()
        except OSError as error:
            raise unavailable(f"cannot use {folder}", str(error), "Use another --data-dir.") from error
        raise PostgresUnavailable(
            f"{folder} is already served by process {holder}", "Stop that one, or use another --data-dir."
        )

    async def _keep_running(self) -> None:
        while True:
            postmaster = self._share.postmaster
            assert postmaster is not None, "watched from start to stop"
            await postmaster.ended()
            self.trouble = f"Postgres (process {postmaster.pid}) ended unexpectedly"
            log.error("%s; starting it again", self.trouble)
            if self._on_death is not None:
                self._on_death(self.trouble)
            await self._revive()
            self.trouble = None

    async def _revive(self) -> None:
        pause_s = 0.5
        while True:
            try:
                return await self._share.revive()
            except (PostgresUnavailable, OSError, asyncpg.PostgresError) as error:
                self.trouble = f"Postgres does not start again: {error}"
                log.error("%s", self.trouble)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_PAUSE_S_MAX)


@asynccontextmanager
async def postgres_at(data_dir: Path) -> AsyncIterator[str]:
    """The DSN of the server of `data_dir`: of the running one, or of one that runs for as long as it is used.

    Raises PostgresUnavailable.
    """
    share = Share(data_dir)
    await share.enter()
    try:
        yield share.dsn
    finally:
        await share.leave()


async def _to_the_end(work: Coroutine[object, object, Result]) -> Result:
    """Awaits `work` that must not be left half-done: a cancellation takes effect once it is through."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(f"cannot make {data_dir}", str(error), "Use another --data-dir.") from error


async def _stop(postmaster: Postmaster) -> None:
    """Fast shutdown, then immediate, which costs a recovery at the next start and no data. Never SIGKILL."""
    postmaster.send(signal.SIGINT)
    if await postmaster.ended(FAST_STOP_S_MAX):
        return
    log.error("Postgres did not stop within %s s; stopping it at once", FAST_STOP_S_MAX)
    postmaster.send(signal.SIGQUIT)
    if not await postmaster.ended(IMMEDIATE_STOP_S_MAX):
        raise PostgresUnavailable(
            f"Postgres, process {postmaster.pid}, does not stop", "End it by hand, with SIGQUIT."
        )
