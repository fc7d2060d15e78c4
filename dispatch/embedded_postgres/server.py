"""The service's own server, started again when it dies, and the one that other commands find or start."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from dispatch.embedded_postgres.cluster import Cluster
from dispatch.embedded_postgres.errors import PostgresUnavailable, unavailable
from dispatch.embedded_postgres.locks import FileLock
from dispatch.embedded_postgres.share import Share, make_data_dir

RESTART_PAUSE_S_MAX = 30.0

log = logging.getLogger(__name__)


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
        make_data_dir(self._share.cluster.data_dir)
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
            except (PostgresUnavailable, OSError) as error:
                self.trouble = f"Postgres does not start again: {error}"
                log.error("%s", self.trouble)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_PAUSE_S_MAX)


def is_made(data_dir: Path) -> bool:
    """Whether a data dir has a database. Raises OSError where it can not be looked into."""
    return Cluster(data_dir).path.exists()


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
