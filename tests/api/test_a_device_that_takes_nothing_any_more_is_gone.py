"""A device whose receive window stays full answers no ping and takes no close: it is ended all the same."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from dispatch import listening
from dispatch.api.connection import Connection
from tests.faults.network import Network

PING_S = 0.5
LARGE = "x" * 100_000


class Ours:
    """Our end of the socket."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.opened.set_result(Connection(send))
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.opened.result().gone()
        self.gone.set()


@asynccontextmanager
async def serving(ours: Ours) -> AsyncIterator[int]:
    bound = listening.listening_socket("127.0.0.1", 0)
    config = uvicorn.Config(
        ours,
        ws="websockets-sansio",
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([bound]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait_for(running, 10)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such option")
async def test_what_it_does_not_take_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "TAKES_NOTHING_S_MAX", 1.0)
    ours = Ours()
    async with serving(ours) as port, Network(port) as network:
        device = await connect(f"ws://127.0.0.1:{network.port}/", compression=None, ping_interval=None)
        link = await network.link()
        link.to_client.stuck = True
        connection = await ours.opened
        while connection.send(LARGE):
            pass
        await network.happened("stuck")
        await asyncio.wait_for(ours.gone.wait(), 10)
        device.transport.abort()


async def test_what_is_taken_slowly_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "TAKES_NOTHING_S_MAX", 1.0)
    ours = Ours()
    async with (
        serving(ours) as port,
        Network(port) as network,
        connect(f"ws://127.0.0.1:{network.port}/", compression=None, ping_interval=None) as device,
    ):
        link = await network.link()
        link.to_client.slow_s = 0.1
        connection = await ours.opened
        assert all(connection.send(LARGE) for _ in range(5))
        got = [await asyncio.wait_for(device.recv(), 10) for _ in range(5)]
        assert [len(text) for text in got] == [len(LARGE)] * 5
        assert network.count("slow") == 1
        assert not ours.gone.is_set()
