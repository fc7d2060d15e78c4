"""Thousands of simulated medics as clients of the public contract: sockets, HTTP and virtual phones.

One task and about 15 KiB per socket. A socket that closes comes back after a drawn delay and reads what it
missed; everybody's phone reports her position now and then, so that fixes do not go stale.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

import aiohttp
import msgspec

from simulations.behaviour import Behaviour, draw
from simulations.demo.medic_lines import AppLine, SmsLine
from simulations.demo.virtual_medic import Frame, Heard, VirtualMedic
from simulations.population import Resident

CONNECTING_AT_ONCE = 40
RECONNECT_S_MAX = 5.0
REPORT_EVERY_S = 300.0
"""Well below the `fix_stale_s` of the shipped policies, 900 s."""

ACKNOWLEDGED = frozenset({"alert", "update", "stand_down"})
TOKEN_REFUSED = 4401


class Phones(Protocol):
    """The virtual phones of a telephone network, by number."""

    def on_text(self, number: str, hear: Callable[[str], None]) -> None:
        """Call `hear` with each text that reaches a number."""

    async def reply(self, number: str, text: str) -> None:
        """Text back to whoever texted the number last."""


class TokenRefused(Exception):
    """The service does not know a medic's token; she does not try again."""


class Registered(msgspec.Struct, frozen=True):
    """A resident whom the service knows. Without a token she has no app."""

    resident: Resident
    medic_id: str
    token: str | None = None


class VirtualMedics:
    """A population that reacts. `start` returns when every app is connected; `stop` ends all of it."""

    def __init__(
        self,
        url: str,
        registered: Iterable[Registered],
        behaviour: Behaviour,
        phones: Phones,
        on_heard: Callable[[Heard], None],
    ) -> None:
        self._url = url
        self._behaviour = behaviour
        self._phones = phones
        self._registered = list(registered)
        self._on_heard = on_heard
        self._tasks: list[asyncio.Task[None]] = []
        self._connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._welcomed = 0
        self._refused: list[str] = []
        self._changed = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None
        self.medics: dict[str, VirtualMedic] = {}

    @property
    def connected(self) -> int:
        """Sockets that were welcomed and have not closed since."""
        return self._welcomed

    async def start(self, timeout_s: float = 60.0) -> None:
        """Connect everybody with an app. Raises `TimeoutError`, and `TokenRefused` where one is."""
        self._http = aiohttp.ClientSession(
            self._url,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=10.0),
        )
        met = [self._meet(one, self._http) for one in self._registered]
        apps = [(medic, line) for medic, line in met if line is not None]
        self._tasks += [asyncio.create_task(self._keep_connected(medic, line)) for medic, line in apps]
        async with asyncio.timeout(timeout_s):
            while self._welcomed < len(apps):
                if self._refused:
                    raise TokenRefused(f"the token of {self._refused[0]} was refused")
                self._changed.clear()
                await self._changed.wait()
        self._tasks.append(asyncio.create_task(self._report_positions(apps)))

    async def stop(self) -> None:
        for medic in self.medics.values():
            medic.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    def _meet(self, one: Registered, http: aiohttp.ClientSession) -> tuple[VirtualMedic, AppLine | None]:
        medic = VirtualMedic(one.medic_id, one.resident, self._behaviour, self._on_heard)
        self.medics[one.medic_id] = medic
        number = one.resident.phone
        by_sms = SmsLine(_replier(self._phones, number))
        self._phones.on_text(number, lambda text: medic.hear_sms(text, by_sms))
        return medic, AppLine(http, one.token) if one.token is not None else None

    async def _keep_connected(self, medic: VirtualMedic, line: AppLine) -> None:
        for nth in range(1_000_000):
            with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                if await self._connected_once(medic, line, again=nth > 0) == TOKEN_REFUSED:
                    self._refused.append(medic.resident.name)
                    self._changed.set()
                    return
            jitter = draw(self._behaviour.seed, "reconnect", "", medic.resident.name, nth)
            await asyncio.sleep(RECONNECT_S_MAX * jitter)

    async def _connected_once(self, medic: VirtualMedic, line: AppLine, again: bool) -> int | None:
        """One socket from hello to its end; the close code."""
        if self._http is None:
            raise RuntimeError("not started")
        async with self._connecting:
            socket = await self._http.ws_connect("/v1/me/socket", max_msg_size=65_536)
            try:
                line.socket = socket
                await line.hello()
                welcome = await socket.receive(timeout=10.0)
            except BaseException:
                await socket.close()
                raise
        if welcome.type is not aiohttp.WSMsgType.TEXT or '"welcome"' not in welcome.data:
            await socket.close()
            return socket.close_code
        self._count(1)
        try:
            if again:
                for alert in await line.open_alerts():
                    medic.hear_frame({"type": "alert"} | alert, line)
            await self._listen(medic, line, socket)
        finally:
            self._count(-1)
            line.socket = None
            await socket.close()
        return socket.close_code

    async def _listen(
        self, medic: VirtualMedic, line: AppLine, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            frame: Frame = msgspec.json.decode(message.data)
            medic.hear_frame(frame, line)
            if frame.get("type") in ACKNOWLEDGED:
                await line.send({"type": "ack", "id": frame["id"]})

    def _count(self, by: int) -> None:
        self._welcomed += by
        self._changed.set()

    async def _report_positions(self, apps: list[tuple[VirtualMedic, AppLine]]) -> None:
        """Everybody's fix within one period, evenly over it: a sweep, not a timer per medic."""
        while apps:
            for medic, line in apps:
                await asyncio.sleep(REPORT_EVERY_S / len(apps))
                with suppress(ConnectionError):
                    await line.stand_at(medic.lat, medic.lon)


def _replier(phones: Phones, number: str) -> Callable[[str], Awaitable[None]]:
    async def reply(text: str) -> None:
        await phones.reply(number, text)

    return reply
