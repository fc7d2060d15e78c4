"""`dispatch serve` as a process of its own, to be killed: what a machine does to it, and nothing less."""

import asyncio
import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.cli.conftest import Cli
from tests.forked import Forked
from tests.postgres.conftest import server_processes_in
from tests.service.asking import ask, free_port

NEARBY = (53.3498, -6.2603)


class Serving:
    """One service on one data dir, over its lives."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._cli = Cli()
        self.process: Forked | None = None
        self.key = ""

    async def start(self) -> None:
        words = ("serve", "--port", str(self.port), "--data-dir", str(self.data_dir))
        log = self.data_dir.parent / "serve.log"
        self.process = Forked(words, self._cli.environment, log)
        for _ in range(600):
            assert self.process.returncode is None, log.read_text()
            if await asyncio.to_thread(self._ready):
                return
            await asyncio.sleep(0.1)
        raise AssertionError("not ready within a minute")

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    async def kill_9(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 60)

    async def command(self, *words: str) -> str:
        """A `dispatch` command on the same data dir; its stdout."""
        done = await self._cli.ask(*words, "--data-dir", str(self.data_dir))
        assert done.code == 0, done.err
        return done.out.strip()

    async def people(self, count: int) -> list[str]:
        """A control room's key, and so many medics close together; their devices' tokens."""
        self.key = await self.command(
            "keys", "create", "--control-room", "Dublin", "--scopes", "incidents:write,incidents:read"
        )
        rows = ["name,phone,language,skills,mode,home_lat,home_lon"]
        lat, lon = NEARBY
        rows += [f"Medic {i},+3538512345{i:02},en,,bicycle,{lat + i / 10_000},{lon}" for i in range(count)]
        file = self.data_dir.parent / "medics.csv"
        file.write_text("\n".join(rows))
        ids = (await self.command("medics", "import", str(file), "--available")).split()
        lines = (await self.command("medics", "token", *ids)).splitlines()
        await asyncio.sleep(1.2)  # a running service knows them within a second
        return [line.split()[1] for line in lines]

    async def phone(self, token: str) -> ClientConnection:
        """A device that has said hello and was welcomed."""
        device = await connect(f"ws://127.0.0.1:{self.port}/v1/me/socket", compression=None)
        await device.send(json.dumps({"type": "hello", "token": token}))
        assert json.loads(await asyncio.wait_for(device.recv(), 10))["type"] == "welcome"
        return device

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        return await asyncio.to_thread(self._call, "POST", path, body, headers)

    async def get(self, path: str) -> tuple[int, Any]:
        return await asyncio.to_thread(self._call, "GET", path, None, {})

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.port}{path}"
        return ask(method, url, body, key=self.key, seconds=10, headers=headers)

    def postgres_processes(self) -> int:
        """How many processes of a server on this data dir there are."""
        return len(server_processes_in(self.data_dir))

    async def until_no_postgres(self, seconds: float = 10.0) -> None:
        until = time.monotonic() + seconds
        while self.postgres_processes():
            assert time.monotonic() < until, "Postgres goes on running"
            await asyncio.sleep(0.1)


def a_report(reference: str) -> dict[str, Any]:
    lat, lon = NEARBY
    return {"reference": reference, "kind": "other", "position": {"lat": lat, "lon": lon}}


async def next_of(device: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of this type."""
    while True:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(device.recv(), 10))
        if frame["type"] == kind:
            return frame
