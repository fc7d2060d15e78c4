"""`dispatch serve` as a process on the test's own database, a Twilio double, and networks before both."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from dispatch.ids import new_id
from dispatch.records import Medic, Place
from dispatch.store import medics
from simulations.demo.service_process import ServiceProcess
from simulations.twilio_double import TwilioDouble
from tests.api.world import World
from tests.faults.outside.brisk import PING_S, hasten
from tests.forked import Forked
from tests.http_client import http_client
from tests.service.asking import free_port

POLICY = """
[other]
waves = [{ after_s = 0, alerts = 60 }]
alerts_max = 100
answer_within_s = 60
ladder = [{ channel = "websocket", after_s = 0 }, { channel = "sms", after_s = 2 }]

[trauma]
waves = [{ after_s = 0, alerts = 1000 }]
alerts_max = 1000
answer_within_s = 90
ladder = [{ channel = "websocket", after_s = 0 }]
"""
SMS_AFTER_S = 2.0
APART_DEG = 0.3
"""Farther apart than any reach: whoever is at one place is asked for nothing at another."""


class Brisk(ServiceProcess):
    """The service with shorter times (`brisk.py`)."""

    def __init__(self, data_dir: Path, port: int, settings: dict[str, str]) -> None:
        super().__init__(data_dir, port, settings)
        self.port = port

    async def _begin(self, *words: str) -> Forked:
        words = (*words, "--data-dir", str(self._data_dir))
        return Forked(words, self._environment, self.log, before=hasten)

    async def kill_9_and_start(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self.__aenter__()


class Served(World):
    """The ways to it. Each medic stands at a place of her own unless told otherwise."""

    service: Brisk
    outside: httpx.AsyncClient
    places = itertools.count()
    numbers = itertools.count()

    def place(self) -> dict[str, float]:
        nth = next(self.places)
        return {"lat": 20 + nth % 100 * APART_DEG, "lon": -100 + nth // 100 * 2.0}

    async def medic_at(self, place: dict[str, float], **changes: Any) -> str:
        return await self.medic(places=(Place("home", place["lat"] + 0.001, place["lon"]),), **changes)

    async def medics_at(self, place: dict[str, float], count: int) -> list[Medic]:
        """So many medics at one place."""
        homes = (Place("home", place["lat"] + 0.001, place["lon"]),)
        made = [
            Medic(
                id=new_id(),
                name=f"Medic {nth}",
                phone=f"+3163{next(self.numbers):07d}",
                language="nl",
                skills=(),
                mode="foot",
                cleared_for_homes=True,
                verified=True,
                suspended=False,
                certificate_until=None,
                registered_by=None,
                available=True,
                places=homes,
            )
            for nth in range(count)
        ]
        await medics.create(self.pool, made)
        await self._until_known(await self.pool.fetchval("select count(*) from medic"))
        return made

    async def sockets(self) -> int:
        """How many the service believes to be open."""
        lines = (await self.outside.get("/metrics")).text.splitlines()
        return int(float(next(line for line in lines if line.startswith("dispatch_sockets ")).split()[1]))

    async def rebased(self, url: str, client: httpx.AsyncClient) -> httpx.AsyncClient:
        """The same control room by another way, such as a network that misbehaves."""
        other = http_client(base_url=url, headers=client.headers, timeout=10)
        return await self.stack.enter_async_context(other)


def report_at(place: dict[str, float], reference: str = "R-1", **changes: Any) -> dict[str, Any]:
    return {"reference": reference, "kind": "other", "position": place, "address": "Main Street 1", **changes}


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@asynccontextmanager
async def served(
    database_url: str,
    pool: asyncpg.Pool,
    folder: Path,
    twilio: TwilioDouble | None = None,
    *,
    twilio_url: str | None = None,
    ping_s: float = 1.0,
) -> AsyncIterator[Served]:
    """A service that is ready; with a double, SMS go to it, by way of ``twilio_url`` where given."""
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    settings = {"DISPATCH_DATABASE_URL": database_url, "DISPATCH_POLICY_FILE": str(policy)}
    settings[PING_S] = str(ping_s)
    if twilio is not None:
        settings |= {
            "DISPATCH_TWILIO_ACCOUNT_SID": twilio.account_sid,
            "DISPATCH_TWILIO_AUTH_TOKEN": twilio.auth_token,
            "DISPATCH_TWILIO_FROM": twilio.number,
            "DISPATCH_TWILIO_API_URL": twilio_url or twilio.url,
        }
    service = Brisk(folder, free_port(), settings)
    if twilio is not None:
        twilio.reply_url = f"{service.url}/v1/twilio/sms"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service)
        world = Served(service.url, pool, await stack.enter_async_context(AsyncExitStack()), None, twilio)  # type: ignore[arg-type]
        world.service, world.outside = service, await world.client()
        yield world


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    """Returns when it is so."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.1)


async def got(room: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """What a control room reads; it tries again where the service has no room for that now."""
    async with asyncio.timeout(20):
        while (answer := await room.get(path)).status_code in (429, 503):
            await asyncio.sleep(0.2)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def events_of(room: httpx.AsyncClient, incident_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await got(room, f"/v1/incidents/{incident_id}/events"))["items"]
    return items


async def told(room: httpx.AsyncClient, incident_id: str, n: int, purpose: str = "alert") -> list[str]:
    """What the feed says of an alert's SMS, in order: `Sent`, `Failed, definite`."""
    return words(await events_of(room, incident_id), n, purpose)


def words(events: list[dict[str, Any]], n: int, purpose: str = "alert") -> list[str]:
    about = {"n": n, "channel": "sms", "purpose": purpose}
    return [
        event["type"].removeprefix("Notification") + (", definite" if event["data"].get("definite") else "")
        for event in events
        if event["type"].startswith("Notification") and about.items() <= event["data"].items()
    ]
