"""A skeleton without any rule: plain ASGI on uvicorn, one asyncpg insert of 4 KiB, the same 20 sockets.

Run as ``python -m benchmarks.rival_skeleton DSN``; prints its port.
"""

import secrets
import socket
import sys
from typing import Any

import asyncpg
import uvicorn

from benchmarks.phones import MESSAGE, PHONES

RECORD = secrets.token_hex(2048)
"""4 KiB that do not compress: Postgres would make next to nothing of 4,096 equal letters."""


class Skeleton:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._phones: list[Any] = []
        self._turn = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._phone(receive, send)
        elif scope["type"] == "http":
            await self._report(receive, send)

    async def _phone(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self._phones.append(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def _report(self, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await self._pool.execute("insert into report (body) values ($1)", RECORD)
        self._turn += PHONES
        for i in range(PHONES):
            phone = self._phones[(self._turn + i) % len(self._phones)]
            await phone({"type": "websocket.send", "text": MESSAGE})
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})


async def main() -> None:
    pool = await asyncpg.create_pool(sys.argv[1], min_size=2, max_size=4)
    await pool.execute("create table if not exists report (id bigserial primary key, body text)")
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        Skeleton(pool),
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
