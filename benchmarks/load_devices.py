"""The phones of `benchmarks/load.py`, in a process of their own: acknowledging, answering, moving.

``python -m benchmarks.load_devices URL POSITIONS_PER_S [rude]`` reads a device's token a line from stdin up
to an empty one, prints ``ready`` when all are connected, and at a further line what every phone got, as JSON.
A phone that was told ``unavailable`` says it again after a second or two, and doubles that each time; a rude
one at once. Phones bring processors of their own, and here theirs is the service's: so the sockets are
aiohttp's, which take half of what those of `websockets` do.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiohttp import ClientConnectionError, ClientSession, ClientWebSocketResponse, TCPConnector

from benchmarks.service import LAT, LON
from geo.distance import SPEED_M_S, Mode
from simulations.population import M_PER_DEGREE

ACCEPT = 3
"""Of the alerts of an incident, the first so many accept, the others decline."""
CONNECT_AT_ONCE = 50
SPREAD_DEG = 0.25
AGAIN_S, AGAIN_S_MAX = 1.0, 30.0
"""How long a phone that was refused waits at first, and at most."""


class Devices:
    """All phones. What they count is kept by id, so that what is lost or doubled can be named."""

    def __init__(self, url: str, positions_per_s: float, *, rude: bool = False) -> None:
        self._url, self._positions_per_s, self._rude = url, positions_per_s, rude
        self._tries: Counter[str] = Counter()
        self._sockets: list[ClientWebSocketResponse] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.alerts: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.stood_down: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.dropped = self.positions = 0

    async def connect_all(self, session: ClientSession, tokens: list[str]) -> None:
        for i in range(0, len(tokens), CONNECT_AT_ONCE):
            some = tokens[i : i + CONNECT_AT_ONCE]
            await asyncio.gather(*(self._connect(session, token) for token in some))
        self._begin(self._move())

    async def _connect(self, session: ClientSession, token: str) -> None:
        socket = await session.ws_connect(self._url)
        await socket.send_json({"type": "hello", "token": token})
        await socket.receive_json()
        self._sockets.append(socket)
        self._begin(self._read(socket))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        with suppress(ClientConnectionError):
            async for message in socket:
                await self._take(socket, message.json())
        self.dropped += 1

    async def _take(self, socket: ClientWebSocketResponse, frame: dict[str, Any]) -> None:
        alert_id = frame.get("alert_id", "")
        if "id" in frame:
            self.messages[frame["id"]] += 1
            await socket.send_json({"type": "ack", "id": frame["id"]})
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
                    self._answer_again(socket, alert_id)

    def _answer_later(self, socket: ClientWebSocketResponse, alert_id: str) -> None:
        after_s = 1.2 if _accepts(alert_id) else 0.2
        self._at(after_s + random.random() * 0.6, lambda: _answer(socket, alert_id))

    def _answer_again(self, socket: ClientWebSocketResponse, alert_id: str) -> None:
        most_s = min(AGAIN_S * 2 ** self._tries[alert_id], AGAIN_S_MAX)
        self._tries[alert_id] += 1
        after_s = 0.0 if self._rude else most_s * random.uniform(1, 2)
        self._at(after_s, lambda: _answer(socket, alert_id))

    def _at(self, after_s: float, what: Callable[[], Any]) -> None:
        asyncio.get_running_loop().call_later(after_s, lambda: self._begin(what()))

    async def _move(self) -> None:
        """So many positions a second, by all in turn; each goes as far as a bicycle in between."""
        began, draw = time.monotonic(), random.Random(2)
        step_deg = SPEED_M_S[Mode.BICYCLE] * len(self._sockets) / self._positions_per_s / M_PER_DEGREE
        positions = [
            (LAT + draw.uniform(-SPREAD_DEG, SPREAD_DEG), LON + draw.uniform(-SPREAD_DEG, SPREAD_DEG))
            for _ in self._sockets
        ]
        while True:
            await asyncio.sleep(0.02)
            while self.positions < (time.monotonic() - began) * self._positions_per_s:
                phone = self.positions % len(self._sockets)
                self.positions += 1
                lat, lon = positions[phone]
                positions[phone] = lat, lon = (
                    lat + draw.uniform(-step_deg, step_deg),
                    lon + draw.uniform(-step_deg, step_deg),
                )
                at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                fix = {"type": "position", "lat": lat, "lon": lon, "accuracy_m": 10, "at": at}
                with suppress(ClientConnectionError):
                    await self._sockets[phone].send_json(fix)

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


def _accepts(alert_id: str) -> bool:
    return int(alert_id.rpartition("-")[2]) <= ACCEPT


async def _answer(socket: ClientWebSocketResponse, alert_id: str) -> None:
    word = "accept" if _accepts(alert_id) else "decline"
    with suppress(ClientConnectionError):
        await socket.send_json({"type": word, "alert_id": alert_id})


async def run(url: str, positions_per_s: float, tokens: list[str], *, rude: bool) -> None:
    devices = Devices(url, positions_per_s, rude=rude)
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        await devices.connect_all(session, tokens)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(devices.report()), flush=True)


def main() -> None:
    tokens = [line.strip() for line in iter(sys.stdin.readline, "\n")]
    uvloop.run(run(sys.argv[1], float(sys.argv[2]), tokens, rude="rude" in sys.argv[3:]))


if __name__ == "__main__":
    main()
