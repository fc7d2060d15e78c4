"""Frames to a device: in order, without a task while it keeps up, from a bounded buffer when it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dispatch.api.connection import FRAMES_WAITING_MAX, Connection
from dispatch.listening import listening_socket
from notify.websocket import SocketHub

LARGE = "x" * 100_000


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[tuple[Connection, ClientConnection]]:
    """Both ends of one socket over real uvicorn."""
    ours: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        ours.set_result(Connection(send))
        while (await receive())["type"] != "websocket.disconnect":
            pass
        ours.result().gone()
        await ours.result().sent()

    bound = listening_socket("127.0.0.1", 0)
    port = bound.getsockname()[1]
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([bound]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        async with connect(f"ws://127.0.0.1:{port}/", compression=None, **options) as theirs:
            yield await ours, theirs
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 10)


async def read_to_the_end(theirs: ClientConnection) -> list[str]:
    got: list[str] = []
    with suppress(ConnectionClosed):
        while True:
            got.append(str(await asyncio.wait_for(theirs.recv(), 5)))
    return got


async def test_a_frame_is_on_the_wire_when_send_returns() -> None:
    async with connected() as (ours, theirs):
        tasks = len(asyncio.all_tasks())
        assert ours.send("one")
        assert ours.send("two")
        assert len(asyncio.all_tasks()) == tasks, "no task was needed"
        assert [await theirs.recv(), await theirs.recv()] == ["one", "two"]


async def test_frames_that_must_wait_come_in_order_and_the_close_after_them() -> None:
    async with connected(max_queue=1) as (ours, theirs):
        sent = 0
        while ours.send(f"{sent} {LARGE}"):
            sent += 1
        assert sent > FRAMES_WAITING_MAX
        ours.close(1013)
        got = [text.split()[0] for text in await read_to_the_end(theirs)]
        assert got == [str(n) for n in range(sent)]
        assert theirs.close_code == 1013
        assert ours.send("too late") is False


async def test_a_device_that_does_not_keep_up_is_closed_with_1013_by_the_hub() -> None:
    async with connected(max_queue=1) as (ours, theirs):
        hub = SocketHub()
        hub.connect("anna", ours)
        for _ in range(2000):
            hub.tell("anna", LARGE)
            if not hub.connected("anna"):
                break
        assert not hub.connected("anna")
        await read_to_the_end(theirs)
        assert theirs.close_code == 1013


async def test_after_the_device_has_gone_nothing_is_taken() -> None:
    async with connected() as (ours, theirs):
        theirs.transport.abort()
        async with asyncio.timeout(5):
            while ours.send("anyone?"):
                await asyncio.sleep(0.01)
        ours.close(1012)
        assert ours.send("anyone?") is False


async def test_the_first_close_counts() -> None:
    async with connected() as (ours, theirs):
        ours.close(4401)
        ours.close(1012)
        await asyncio.wait_for(theirs.wait_closed(), 5)
        assert theirs.close_code == 4401
