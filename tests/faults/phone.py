"""A medic's device as the contract wants it: it comes back, rings once for an alert, repeats what it said."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

AGAIN_S = 0.1


class Phone:
    """It tries the next of ``urls`` each time.

    ``rung``: by alert id, in the order in which it rang. ``heard``: every frame, repeats too.
    """

    def __init__(self, token: str, *urls: str) -> None:
        self.token = token
        self._urls = cycle(urls)
        self.heard: list[dict[str, Any]] = []
        self.rung: dict[str, dict[str, Any]] = {}
        self.stood_down: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.acknowledges = True
        self._unanswered: dict[str, str] = {}
        self._socket: ClientConnection | None = None

    @property
    def connected(self) -> bool:
        return self._socket is not None

    async def say(self, word: str, alert_id: str) -> None:
        """Said until it is answered."""
        self._unanswered[alert_id] = word
        if self._socket is not None:
            try:
                await self._socket.send(json.dumps({"type": word, "alert_id": alert_id}))
            except WebSocketException:
                return

    async def run(self) -> None:
        while True:
            try:
                await self._connect_once()
            except (OSError, TimeoutError, WebSocketException):
                pass
            finally:
                self._socket = None
            await asyncio.sleep(AGAIN_S)

    async def _connect_once(self) -> None:
        address = next(self._urls).replace("http", "ws") + "/v1/me/socket"
        async with connect(address, compression=None, open_timeout=5, close_timeout=1) as socket:
            await socket.send(json.dumps({"type": "hello", "token": self.token}))
            assert json.loads(await asyncio.wait_for(socket.recv(), 10))["type"] == "welcome"
            self._socket = socket
            for alert_id, word in self._unanswered.items():
                await socket.send(json.dumps({"type": word, "alert_id": alert_id}))
            async for text in socket:
                await self._hear(json.loads(text), socket)

    async def _hear(self, frame: dict[str, Any], socket: ClientConnection) -> None:
        self.heard.append(frame)
        match frame["type"]:
            case "alert":
                self.rung.setdefault(frame["alert_id"], frame)
            case "stand_down":
                self.stood_down[frame["alert_id"]] = frame["reason"]
            case "answered":
                self.answered[frame["alert_id"]] = frame["state"]
                self._unanswered.pop(frame["alert_id"], None)
        if "id" in frame and self.acknowledges:
            await socket.send(json.dumps({"type": "ack", "id": frame["id"]}))


@asynccontextmanager
async def switched_on(*phones: Phone) -> AsyncIterator[None]:
    running = [asyncio.create_task(phone.run()) for phone in phones]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
