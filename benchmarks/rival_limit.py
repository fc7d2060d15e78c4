"""The limit: a 4 KiB append made durable, an empty HTTP handler, 20 messages on a bare ``websockets`` server.

Nothing is parsed, stored by key, or decided; whoever does all that can not be quicker than this. Run as
``python -m benchmarks.rival_limit``; prints its two ports.
"""

import asyncio
import os
import sys
import tempfile

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.phones import MESSAGE, PHONES

RECORD = b"\0" * 4096
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


async def main() -> None:
    sockets: list[ServerConnection] = []

    async def phone(socket: ServerConnection) -> None:
        sockets.append(socket)
        await socket.wait_closed()

    with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as log:
        turn = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal turn
            while head := await _head(reader):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                os.write(log.fileno(), RECORD)
                os.fdatasync(log.fileno())
                turn += PHONES
                for i in range(PHONES):
                    await sockets[(turn + i) % len(sockets)].send(MESSAGE)
                writer.write(ANSWER)

        phones = await serve(phone, "127.0.0.1", 0, compression=None, ping_interval=None)
        http = await asyncio.start_server(handle, "127.0.0.1", 0)
        print(http.sockets[0].getsockname()[1], next(iter(phones.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


if __name__ == "__main__":
    uvloop.run(main())
