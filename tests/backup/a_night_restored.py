"""A service with an incident that lives, backed up and gone; and its successor in a new database, paused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from dispatch.store.backup import backup, restore
from dispatch.store.database import connect_pool
from simulations.twilio_double import TwilioDouble
from tests.api.world import Device, World, a_report, a_world

SILENCE_S = 1.5
"""How long nothing is heard for it to count as silence: several looks of every loop of a node."""


@dataclass
class Night:
    """What stands in the backup: ``anna`` and ``bob`` have sockets, ``carla`` was asked by SMS."""

    incident_id: str
    key: str
    tokens: dict[str, str]
    ids: dict[str, str]
    carlas_phone: str
    file: Path


async def a_night(dsn: str, pool: asyncpg.Pool, folder: Path) -> Night:
    """One incident, asked of three; bob accepted. The service is stopped after the backup."""
    async with TwilioDouble(live=True) as twilio, a_world(dsn, folder, pool, twilio=twilio) as world:
        ids = {name: await world.medic(300 + 100 * i) for i, name in enumerate(("anna", "bob", "carla"))}
        tokens = {name: await world.token(ids[name]) for name in ids}
        anna, bob = [await welcome(world, tokens[name]) for name in ("anna", "bob")]
        key = await world.key()
        room = await world.client(key)
        opened = (await room.post("/v1/incidents", json=a_report("R-1", kind="unconscious"))).json()
        phone = twilio.phone(await world.phone(ids["carla"]))
        await until(lambda: bool(phone.inbox))
        await anna.alert()
        alert = await bob.alert()
        await bob.answer("accept", alert["alert_id"])
        await asyncio.sleep(0.2)  # callbacks
        await backup(dsn, folder / "backup")
    return Night(opened["id"], key, tokens, ids, phone.number, folder / "backup")


@dataclass
class Restored:
    """The successor, serving; ``room`` is its control room's client."""

    night: Night
    world: World
    twilio: TwilioDouble
    room: httpx.AsyncClient
    pool: asyncpg.Pool

    async def incident(self, incident_id: str = "") -> dict[str, Any]:
        answer = await self.room.get(f"/v1/incidents/{incident_id or self.night.incident_id}")
        return dict(answer.json())

    async def device(self, name: str) -> Device:
        return await welcome(self.world, self.night.tokens[name])

    @property
    def texts(self) -> list[str]:
        return [text.body for text in self.twilio.phone(self.night.carlas_phone).inbox]

    async def until(self, true: Callable[[dict[str, Any]], Any], incident_id: str = "") -> dict[str, Any]:
        """The incident once it is so."""
        async with asyncio.timeout(10):
            while not true(found := await self.incident(incident_id)):
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def restored_night(night: Night, dsn: str, folder: Path) -> AsyncIterator[Restored]:
    await restore(dsn, night.file)
    async with succeeding(night, dsn, folder) as successor:
        yield successor


@asynccontextmanager
async def succeeding(
    night: Night, dsn: str, folder: Path, twilio: TwilioDouble | None = None
) -> AsyncIterator[Restored]:
    """``twilio``: the one that the service had before; else another, which knows of nothing."""
    async with AsyncExitStack() as stack:
        pool = await connect_pool(dsn, min_size=1, max_size=4)
        stack.push_async_callback(pool.close)
        if twilio is None:
            twilio = await stack.enter_async_context(TwilioDouble(live=True))
        world = await stack.enter_async_context(a_world(dsn, folder, pool, twilio=twilio))
        yield Restored(night, world, twilio, await world.client(night.key), pool)


async def welcome(world: World, token: str) -> Device:
    device = Device(await world.socket(token), "")
    assert (await device.next())["type"] == "welcome"
    return device


async def ensure_silence(*devices: Device, seconds: float = SILENCE_S) -> None:
    """None of them hears anything."""

    async def listen(device: Device) -> str | bytes:
        return await device.socket.recv()

    listening = [asyncio.ensure_future(listen(device)) for device in devices]
    done, waiting = await asyncio.wait(listening, timeout=seconds)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert [one.result() for one in done] == []


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)
