"""The phones of `benchmarks/load.py`, in a process of their own: acknowledging, answering, moving.

``python -m benchmarks.load_devices URL POSITIONS_PER_S`` reads a device's token a line from stdin up to an
empty one, prints ``ready`` when all are connected, and at a further line what every phone got, as JSON.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.service import LAT, LON

ACCEPT = 3
"""Of the alerts of an incident, the first so many accept, the others decline."""
CONNECT_AT_ONCE = 50
SPREAD_DEG = 0.25


class Devices:
    """All phones. What they count is kept by id, so that what is lost or doubled can be named."""

    def __init__(self, url: str, positions_per_s: float) -> None:
        self._url, self._positions_per_s = url, positions_per_s
        self._sockets: list[ClientConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.alerts: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.stood_down: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.dropped = self.positions = 0

    async def connect_all(self, tokens: list[str]) -> None:
        for i in range(0, len(tokens), CONNECT_AT_ONCE):
            await asyncio.gather(*map(self._connect, tokens[i : i + CONNECT_AT_ONCE]))
        self._begin(self._move())

    async def _connect(self, token: str) -> None:
        socket = await connect(self._url, compression=None, ping_interval=None, open_timeout=60)
        await socket.send(json.dumps({"type": "hello", "token": token}))
        await socket.recv()
        self._sockets.append(socket)
        self._begin(self._read(socket))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                await self._take(socket, json.loads(text))
        except ConnectionClosed:
            pass
        self.dropped += 1

    async def _take(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        alert_id = frame.get("alert_id", "")
        if "id" in frame:
            self.messages[frame["id"]] += 1
            await socket.send(json.dumps({"type": "ack", "id": frame["id"]}))
        match frame["type"]:
            case "alert":
                self.alerts[alert_id] += 1
                self._answer_later(socket, alert_id)
            case "stand_down":
                self.stood_down[alert_id] += 1
            case "answered" if frame["state"] != "stood_down":  # too late: it was over, and changed nothing
                self.answered[alert_id] += 1
            case "error":
                self.refused[frame["code"]] += 1
                if frame["code"] == "unavailable" and alert_id:
                    self._answer_later(socket, alert_id)

    def _answer_later(self, socket: ClientConnection, alert_id: str) -> None:
        accepts = int(alert_id.rpartition("-")[2]) <= ACCEPT
        word, after_s = ("accept", 1.2) if accepts else ("decline", 0.2)
        say = json.dumps({"type": word, "alert_id": alert_id})
        self._at(after_s + random.random() * 0.6, lambda: socket.send(say))

    def _at(self, after_s: float, what: Callable[[], Any]) -> None:
        asyncio.get_running_loop().call_later(after_s, lambda: self._begin(what()))

    async def _move(self) -> None:
        """So many positions a second, by all in turn."""
        began, draw = time.monotonic(), random.Random(2)
        while True:
            await asyncio.sleep(0.02)
            while self.positions < (time.monotonic() - began) * self._positions_per_s:
                socket = self._sockets[self.positions % len(self._sockets)]
                self.positions += 1
                at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                lat, lon = (
                    LAT + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                    LON + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                )
                fix = {"type": "position", "lat": lat, "lon": lon, "accuracy_m": 10, "at": at}
                try:
                    await socket.send(json.dumps(fix))
                except ConnectionClosed:
                    continue

    def report(self) -> dict[str, Any]:
        return {
            "alerts": self.alerts,
            "doubled": [known for known, times in self.messages.items() if times > 1],
            "answered": self.answered,
            "stood_down": self.stood_down,
            "refused": self.refused,
            "dropped": self.dropped,
            "positions": self.positions,
        }


async def run(url: str, positions_per_s: float, tokens: list[str]) -> None:
    devices = Devices(url, positions_per_s)
    await devices.connect_all(tokens)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(devices.report()), flush=True)


def main() -> None:
    tokens = [line.strip() for line in iter(sys.stdin.readline, "\n")]
    uvloop.run(run(sys.argv[1], float(sys.argv[2]), tokens))


if __name__ == "__main__":
    main()
