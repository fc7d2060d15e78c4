"""The two ways in which a simulated medic's words reach the service: her app, or a text message.

The app speaks over its socket, and over HTTP while that is down, as the contract allows.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from simulations.demo.virtual_medic import Episode, Frame

GPS_ACCURACY_M = 12.0


class AppLine:
    """A device with a token: HTTP always, a socket while it has one."""

    __slots__ = ("_http", "_token", "socket")

    def __init__(self, http: aiohttp.ClientSession, token: str) -> None:
        self._http = http
        self._token = token
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def say(self, word: str, episode: Episode) -> None:
        if episode.alert_id is None:
            return
        if not await self.send({"type": word, "alert_id": episode.alert_id}):
            await self._request("POST", f"/v1/me/alerts/{episode.alert_id}/{word}")

    async def stand_at(self, lat: float, lon: float) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fix = {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": GPS_ACCURACY_M, "at": at}
        if not await self.send({"type": "position"} | fix):
            await self._request("PUT", "/v1/me/position", fix)

    async def hello(self) -> None:
        await self.send({"type": "hello", "token": self._token})

    async def open_alerts(self) -> list[Frame]:
        """What a device reads after a reconnect: the alerts that it may have missed."""
        body = await self._request("GET", "/v1/me/alerts") or {}
        alerts: list[Frame] = body["items"] if isinstance(body, dict) and "items" in body else []
        return alerts

    async def send(self, frame: Frame) -> bool:
        """Put a frame on the socket; False when there is none to put it on."""
        socket = self.socket
        if socket is None or socket.closed:
            return False
        try:
            await socket.send_str(msgspec.json.encode(frame).decode())
        except ConnectionError:
            return False
        return True

    async def _request(self, method: str, path: str, body: Frame | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._http.request(method, path, json=body, headers=headers) as response:
                return await response.json() if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None  # a phone without a network: what was said is lost, as it is in the field


class SmsLine:
    """A phone that can only text: the two digits that answer, nothing else."""

    __slots__ = ("_reply",)

    def __init__(self, reply: Callable[[str], Awaitable[object]]) -> None:
        self._reply = reply

    async def say(self, word: str, episode: Episode) -> None:
        if episode.digits is not None and word in ("accept", "decline"):
            accept, decline = episode.digits
            await self._reply(accept if word == "accept" else decline)

    async def stand_at(self, lat: float, lon: float) -> None:
        """A text message carries no position."""
