"""A text frame that we write ourselves is, to the byte, what `websockets` would have written."""

import asyncio
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from dispatch.api.text_frames import TextFrames, text_frame
from dispatch.serving import listening_socket

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)
"""Bytes, on both sides of each change of form (RFC 6455, 5.2)."""


@given(
    st.text() | st.sampled_from(LENGTHS).map("x".__mul__) | st.sampled_from((42, 63, 21_845)).map("€".__mul__)
)
def test_to_the_byte(text: str) -> None:
    assert text_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_real_client_reads_them_and_the_close_after(compressed: bool) -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for length in LENGTHS:
            await send({"type": "websocket.send", "text": "x" * length})
        await send({"type": "websocket.send", "bytes": b"b"})
        await send({"type": "websocket.close", "code": 1012})

    config = uvicorn.Config(
        app, ws=TextFrames, ws_per_message_deflate=compressed, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with listening_socket("127.0.0.1", 0) as bound:
        serving = asyncio.create_task(server._serve([bound]))
        while not server.started:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(30), connect(f"ws://127.0.0.1:{bound.getsockname()[1]}") as client:
            got = [await client.recv() for _ in range(len(LENGTHS) + 1)]
            await client.wait_closed()
        server.should_exit = True
        await serving
    assert got == ["x" * length for length in LENGTHS] + [b"b"]
    assert client.close_code == 1012
