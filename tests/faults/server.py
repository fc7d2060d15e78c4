"""A Postgres of the test's own, to be killed, started again, paused and resumed by its process ids."""

import asyncio
import os
import signal
import time
from pathlib import Path

from dispatch.embedded_postgres.share import Share
from tests.postgres.conftest import server_processes_in


class PostgresServer:
    """Started by ``start``; who starts it again after a kill is said by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._share = Share(folder)

    @property
    def dsn(self) -> str:
        return self._share.dsn

    async def start(self) -> None:
        await self._share.enter()

    async def start_again(self) -> None:
        assert self._share.postmaster is not None
        assert await self._share.postmaster.ended(10)
        await self._share.revive()

    async def stop(self) -> None:
        resume(self.folder)
        await self._share.leave()


def kill_9(folder: Path) -> int:
    """Every process of the server on this data dir, the postmaster first; how many there were."""
    return _signal(folder, signal.SIGKILL)


def pause(folder: Path) -> int:
    return _signal(folder, signal.SIGSTOP)


def resume(folder: Path) -> int:
    return _signal(folder, signal.SIGCONT)


def _signal(folder: Path, number: signal.Signals) -> int:
    processes = server_processes_in(folder)
    pids = {process.pid for process in processes}
    for process in sorted(processes, key=lambda one: one.ppid() in pids):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue
    return len(processes)


async def until_gone(folder: Path, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while server_processes_in(folder):
        assert time.monotonic() < until, "Postgres goes on running"
        await asyncio.sleep(0.05)
