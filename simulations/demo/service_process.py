"""The real service as a process of its own, and its command line; nothing of it is touched from within.

Settings of the caller's own deployment (`DISPATCH_*` in the environment) are not passed on: a demo never
writes into a real database nor texts a real phone.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import aiohttp

HOST = "127.0.0.1"
START_S_MAX = 90.0
STOP_S_MAX = 30.0
READY_EVERY_S = 0.05
LOG_LINES_SHOWN = 8


class PortBusy(Exception):
    """Somebody else listens on the port."""


class ServiceFailed(Exception):
    """The service or one of its commands failed; the text says what it said last."""


def free_port(wanted: int) -> int:
    """`wanted`, or any free one for 0. Raises `PortBusy`."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise PortBusy(f"port {wanted} cannot be used ({error.strerror}); try another --port") from error
        port: int = probe.getsockname()[1]
        return port


class Running(Protocol):
    """As much of a process as is needed of one that has begun."""

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def send_signal(self, number: signal.Signals, /) -> None: ...

    def kill(self) -> None: ...


class ServiceProcess:
    """`dispatch serve` on a data directory. As a context manager it is ready inside, and gone after."""

    def __init__(self, data_dir: Path, port: int, settings: Mapping[str, str]) -> None:
        self.url = f"http://{HOST}:{port}"
        self.log = data_dir / "serve.log"
        self._data_dir = data_dir
        self._port = port
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
        self._environment = inherited | dict(settings) | {"DISPATCH_PUBLIC_URL": self.url}
        self._process: Running | None = None

    async def __aenter__(self) -> Self:
        self._process = await self._begin("serve", "--host", HOST, "--port", str(self._port))
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def watch(self) -> None:
        """Wait for the service to end of its own accord, which it should not: raises `ServiceFailed`."""
        if self._process is not None:
            status = await self._process.wait()
            raise self._failed(f"stopped with exit {status}")

    async def command(self, *words: str) -> str:
        """A `dispatch` command on the same data directory; what it printed. Raises `ServiceFailed`."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        try:
            printed, complained = await asyncio.wait_for(process.communicate(), START_S_MAX)
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if process.returncode != 0:
            said = _last_lines(complained.decode(errors="replace"))
            raise ServiceFailed(
                f"dispatch {' '.join(words[:2])} failed with exit {process.returncode}:\n{said}"
            )
        return printed.decode()

    async def _begin(self, *words: str) -> Running:
        with self.log.open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *self._command(*words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is ours to pass on, once the medics are gone
            )

    def _command(self, *words: str) -> Sequence[str]:
        return (sys.executable, "-m", "dispatch", *words, "--data-dir", str(self._data_dir))

    async def _until_ready(self, process: Running) -> None:
        async with aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=5.0)) as http:
            try:
                async with asyncio.timeout(START_S_MAX):
                    while not await _ready(http):
                        if process.returncode is not None:
                            raise self._failed(f"stopped with exit {process.returncode}")
                        await asyncio.sleep(READY_EVERY_S)
            except TimeoutError:
                raise self._failed(f"was not ready within {START_S_MAX:.0f} s") from None

    async def _stop(self) -> None:
        """A clean exit, which stops the embedded Postgres too; killed only when it does not come."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S_MAX)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise self._failed(f"did not stop within {STOP_S_MAX:.0f} s and was killed") from None

    def _failed(self, how: str) -> ServiceFailed:
        return ServiceFailed(f"the service {how}:\n{_last_lines(self.log.read_text(errors='replace'))}")


async def _ready(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/readyz") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _last_lines(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[-LOG_LINES_SHOWN:])
