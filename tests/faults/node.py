"""`dispatch serve` as a process of its own, over its lives: killed, paused, started again."""

import asyncio
import http.client
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Any

from dispatch.fault_points import VARIABLE as KILL_AT
from tests.forked import Forked
from tests.service.asking import ask, free_port

NO_ANSWER = (urllib.error.URLError, http.client.HTTPException, OSError, json.JSONDecodeError)


class Node:
    """One node on one port. ``settings`` are its environment; what it logs is in ``log``."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self.data_dir = folder / "data"
        self.settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = ""
        self._log = folder / "node.log"
        self._kill_at = folder / "kill_at"
        self._process: Process | Forked | None = None

    # --- its life

    async def start(self) -> None:
        await self.launch()
        await self.until_ready()

    async def launch(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
        environment = clean | {KILL_AT: str(self._kill_at)} | self.settings
        words = ("serve", "--port", str(self.port), "--data-dir", str(self.data_dir))
        if "LD_PRELOAD" not in environment:
            self._process = Forked(words, environment, self._log)
            return
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "dispatch", *words),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def until_ready(self, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.alive, self.log
            if await self.ready():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s\n{self.log}")

    async def ready(self) -> bool:
        try:
            return (await self.call("GET", "/readyz"))[0] == 200
        except NO_ANSWER:
            return False

    def kill_when_it_reaches(self, stage: str) -> None:
        """See ``dispatch.fault_points``; an empty name: it is not to die."""
        self._kill_at.write_text(stage)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, seconds: float = 30) -> int:
        """Waits for its end; the exit code."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def kill_9(self) -> None:
        self.send(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def stop(self) -> None:
        """However the test left it."""
        if self._process is None or not self.alive:
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            await self.ended()
        except TimeoutError:
            await self.kill_9()
            raise AssertionError(f"it did not stop\n{self.log}") from None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        return self._log.read_text()[-8000:]

    # --- its control room

    async def call(
        self, method: str, path: str, body: Any = None, *, seconds: float = 10, **headers: str
    ) -> tuple[int, Any]:
        """Status and body. Raises one of ``NO_ANSWER`` where none comes."""
        url = f"{self.url}{path}"
        return await asyncio.to_thread(ask, method, url, body, key=self.key, seconds=seconds, headers=headers)

    async def insist(
        self, method: str, path: str, body: Any = None, *, seconds: float = 60, **headers: str
    ) -> tuple[int, Any]:
        """As a client that does not give up: again until it is answered, with anything but 503."""
        until = time.monotonic() + seconds
        while True:
            try:
                status, answer = await self.call(method, path, body, seconds=5, **headers)
            except NO_ANSWER as error:
                status, answer = 0, error
            if status not in (0, 503):
                return status, answer
            assert time.monotonic() < until, f"{method} {path}: {answer!r}\n{self.log}"
            await asyncio.sleep(0.1)

    async def feed(self) -> list[tuple[int, str]]:
        """Position and type of every event in the control room's feed until now."""
        last = int((await self.call("GET", "/v1/incidents"))[1]["feed_id"])
        return await asyncio.to_thread(self._feed, last)

    def _feed(self, last: int) -> list[tuple[int, str]]:
        headers = {"Authorization": f"Bearer {self.key}", "Last-Event-ID": "0"}
        read: list[tuple[int, str]] = []
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/v1/events", headers=headers), timeout=10
        ) as stream:
            position = 0
            while position < last:
                line = stream.readline().decode()
                assert line, "the feed ended"
                if line.startswith("id:"):
                    position = int(line[3:])
                elif line.startswith("event:"):
                    read.append((position, line[6:].strip()))
        return read
