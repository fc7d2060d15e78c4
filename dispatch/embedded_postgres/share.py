"""One process's share in the server of a data dir: who starts it, who takes it up, who stops it.

Every process that uses a data dir's server holds `postgres.users.lock` shared. The first starts the server.
Whoever leaves and then gets that lock alone was the last, and stops it. `postgres.change.lock` makes each of
these one step. A process that is killed frees its locks and leaves the server running: the next takes it up.
"""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import TypeVar

import asyncpg

from dispatch.embedded_postgres.account import Account
from dispatch.embedded_postgres.cluster import DATABASE, Cluster, clean_environment
from dispatch.embedded_postgres.errors import PostgresUnavailable, unavailable
from dispatch.embedded_postgres.locks import FileLock, open_private
from dispatch.embedded_postgres.postmaster import PidFile, Postmaster, anybody_lives_in, find_postmaster
from dispatch.embedded_postgres.socket_folder import choose_socket_folder, remove_socket_folder

START_S_MAX = 300.0  # recovery after a crash replays up to max_wal_size
CHANGE_S_MAX = START_S_MAX + 30
LEFTOVERS_S_MAX = 30.0  # the processes of a killed postmaster notice at once, unless in the middle of a write
FAST_STOP_S_MAX = 60.0  # writes out all dirty pages
IMMEDIATE_STOP_S_MAX = 15.0  # the postmaster itself kills what does not go within 5 s
LOG_BYTES_MAX = 10_000_000

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
        make_data_dir(self.cluster.data_dir)
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
                remove_socket_folder(self._socket_dir, self.cluster.path)
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
        if await self._until_ready(postmaster, deadline):
            return True
        await self._clear_after_crash(pid_file)  # killed a moment ago, it may have left its locks
        return False

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
            remove_socket_folder(pid_file.socket_dir, self.cluster.path)

    async def _start(self, account: Account, deadline: float) -> None:
        self._socket_dir = choose_socket_folder(self.cluster.path, account)
        child = self._spawn(account)
        if not await self._until_ready(Postmaster(child.pid, child), deadline):
            remove_socket_folder(self._socket_dir, self.cluster.path)
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


async def _to_the_end(work: Coroutine[object, object, Result]) -> Result:
    """Awaits `work` that must not be left half-done: a cancellation takes effect once it is through."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def make_data_dir(data_dir: Path) -> None:
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
