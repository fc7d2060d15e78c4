"""Serving: uvicorn under our own start and stop, so that a stop lets devices go first and loses nothing."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from uvicorn.config import Config

from dispatch import garbage, logs
from dispatch.api.frames import FRAME_BYTES_MAX
from dispatch.api.request_heads import BoundedHeads
from dispatch.app import Service, running
from dispatch.kinds import Kinds
from dispatch.listening import TAKES_NOTHING_S_MAX, url_of
from dispatch.settings import Settings

log = logs.logger(__name__)

PING_S = TAKES_NOTHING_S_MAX / 2
"""And so long at most for the answer."""
REQUESTS_END_S_MAX = 10
KEEP_ALIVE_S = 75
"""Longer than a control room's client keeps a connection, or it would post into one that we just closed."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGHUP: the terminal was closed. What `nohup` has it ignore stays ignored."""


class Server(uvicorn.Server):
    """Stops when ``stop`` is called, and then first lets devices and followers go.

    uvicorn's own handling of signals ends the process before Postgres is stopped, so it is left out.
    """

    def __init__(self, service: Service, on_ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(_config(service))
        self._service = service
        self._on_ready = on_ready

    def stop(self) -> None:
        """Asked again, it waits for nobody's request any longer."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.let_go()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(service: Service) -> Config:
    return Config(
        service.app,
        loop="none",
        http=BoundedHeads,
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES_MAX,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=REQUESTS_END_S_MAX,
    )


async def serve(settings: Settings, kinds: Kinds, bound: socket.socket, data_dir: Path) -> None:
    """Serves on ``bound`` until SIGINT or SIGTERM. Raises what ``running`` raises."""
    url = url_of(bound)
    _allow_many_files()
    name = f"{socket.gethostname()} {url}"
    async with running(settings, kinds, data_dir, name) as service:
        for check in service.readiness.ways():
            log.warning(check.detail, hint=check.hint)

        def on_ready() -> None:
            sys.stderr.write(f"dispatch: ready on {url}\n")
            sys.stderr.flush()

        server = Server(service, on_ready)
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            loop.add_signal_handler(number, server.stop)
        garbage.serving()
        await server.serve(sockets=[bound])
    log.info("stopped")


def _allow_many_files() -> None:
    """A socket is an open file; the usual soft limit has room for a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
