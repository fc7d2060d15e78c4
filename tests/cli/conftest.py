"""The command line as a process of its own, on its own data dir or on a test's database."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Forked


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass
class Serving:
    """``dispatch serve`` that is ready."""

    url: str
    process: Process

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 30)


class Cli:
    def __init__(self, **settings: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
        self.environment = clean | settings

    async def start(self, *words: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dispatch", *words), stdout=PIPE, stderr=PIPE, env=self.environment
        )

    async def run(self, *words: str) -> Done:
        """Begun as a user begins it: once for each kind of thing that is asked."""
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def ask(self, *words: str) -> Done:
        """As `run`, of a process that need not import what it runs."""
        with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = Forked(words, self.environment, err, out=out)
            try:
                code = await asyncio.wait_for(process.wait(), 60)
            finally:
                process.kill()
            return Done(code, out.read_text("utf-8"), err.read_text("utf-8"))

    @asynccontextmanager
    async def serving(self, *words: str) -> AsyncIterator[Serving]:
        """Serves on any free port; stopped at the end if it still runs."""
        process = await self.start("serve", "--port", "0", *words)
        assert process.stderr is not None
        try:
            async with asyncio.timeout(60):
                while True:
                    line = (await process.stderr.readline()).decode()
                    assert line, "it ended before it was ready"
                    if found := re.search(r"ready on (\S+)", line):
                        break
            drain = asyncio.create_task(process.stderr.read())
            yield Serving(found[1], process)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)
        await drain


MakeCli = Callable[..., Cli]


@pytest.fixture
def make_cli(database_url: str) -> MakeCli:
    """Commands on this test's database, with further settings."""
    return lambda **settings: Cli(DISPATCH_DATABASE_URL=database_url, **settings)


@pytest.fixture
def cli(make_cli: MakeCli) -> Cli:
    """Commands on this test's database."""
    return make_cli()


@pytest.fixture
def medics_csv(tmp_path: Path) -> Any:
    """Writes a CSV file of these lines."""

    def write(*lines: str) -> str:
        path = tmp_path / "medics.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return str(path)

    return write
