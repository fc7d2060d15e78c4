"""Serving: uvicorn under our own start and stop, so that a stop lets devices go first and loses nothing."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import uvicorn
from uvicorn.config import Config

from dispatch import logs
from dispatch.api.frames import FRAME_BYTES_MAX
from dispatch.api.request_heads import BoundedHeads
from dispatch.app import Service, running
from dispatch.chores import in_background
from dispatch.settings import Settings

log = logs.logger(__name__)

PING_S = 20.0
TAKES_NOTHING_S_MAX = 2 * PING_S
"""As a ping without an answer. A device that takes nothing any more would stay otherwise: a close waits until
it took the rest, which a full receive window puts off for ever (RFC 9293, 3.8.6.1; RFC 5482)."""
REQUESTS_END_S_MAX = 10
KEEP_ALIVE_S = 75
"""Longer than a control room's client keeps a connection, or it would post into one that we just closed."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGHUP: the terminal was closed. What `nohup` has it ignore stays ignored."""


class CanNotListen(Exception):
    """The address can not be listened on; the text says why and what to do, in one line."""


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


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, found out before anything is started. Raises CanNotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections have it from what listens
            untaken_ms = int(TAKES_NOTHING_S_MAX * 1000)
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, untaken_ms)
        bound.bind(address)
    except OSError as error:
        raise CanNotListen(
            f"can not listen on {host} port {port} ({error.strerror}); use another --port or --host"
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(settings: Settings, host: str, port: int, data_dir: Path) -> None:
    """Serves until SIGINT or SIGTERM. Raises CanNotListen, and what ``running`` raises."""
    with closing(listening_socket(host, port)) as bound:
        url = url_of(bound)
        _allow_many_files()
        name = f"{socket.gethostname()} {url}"
        async with running(settings, data_dir, name) as service:
            for check in service.readiness.sms():
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
            async with in_background(service.garbage.run()):
                await server.serve(sockets=[bound])
        log.info("stopped")


def _allow_many_files() -> None:
    """A socket is an open file; the usual soft limit has room for a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
