"""The whole service in this process: real Postgres, real uvicorn, real websockets; SMS go to the double."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from dispatch.app import running
from dispatch.auth import SCOPES, new_key, new_token, secret_hash
from dispatch.ids import new_id
from dispatch.kinds import read_kinds
from dispatch.listening import listening_socket, url_of
from dispatch.records import Medic, Place
from dispatch.serving import Server
from dispatch.settings import Settings
from dispatch.store import keys, medics, tokens
from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.double import ACCOUNT_SID, AUTH_TOKEN, NUMBER
from tests.http_client import http_client

DOM = {"lat": 52.0907, "lon": 5.1214}
"""Where incidents happen."""
METRE = 1 / 111_195
"""Degrees of latitude."""


def a_report(reference: str = "R-1", **changes: Any) -> dict[str, Any]:
    return {"reference": reference, "kind": "trauma", "position": DOM, "address": "Domplein 1", **changes}


class Device:
    """A medic's device on its socket. ``next`` gives the next frame, of a type if one is named."""

    def __init__(self, socket: ClientConnection, medic_id: str) -> None:
        self.socket = socket
        self.medic_id = medic_id

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def next(self, kind: str | None = None) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
            if kind is None or frame["type"] == kind:
                return frame

    async def alert(self) -> dict[str, Any]:
        """The next alert, acknowledged."""
        frame = await self.next("alert")
        await self.say(type="ack", id=frame["id"])
        return frame

    async def answer(self, word: str, alert_id: str) -> dict[str, Any]:
        await self.say(type=word, alert_id=alert_id)
        return await self.next()

    async def closed(self) -> int:
        """Reads until the socket is closed; the code."""
        await asyncio.wait_for(self.socket.wait_closed(), 5)
        assert self.socket.close_code is not None
        return self.socket.close_code


@dataclass
class World:
    """A service and the ways to it."""

    url: str
    pool: asyncpg.Pool
    stack: AsyncExitStack
    server: Server
    twilio: TwilioDouble | None = None
    rooms: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def key(self, room: str = "Utrecht", scopes: tuple[str, ...] = SCOPES) -> str:
        room_id = await keys.ensure_control_room(self.pool, room)
        secret = new_key()
        await keys.create(self.pool, room_id, secret_hash=secret_hash(secret), scopes=scopes, at=0)
        return secret

    async def client(self, bearer: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        client = http_client(base_url=self.url, headers=headers, timeout=10)
        return await self.stack.enter_async_context(client)

    async def room(self, name: str = "Utrecht", scopes: tuple[str, ...] = SCOPES) -> httpx.AsyncClient:
        return await self.client(await self.key(name, scopes))

    async def medic(self, metres_away: float = 300, **changes: Any) -> str:
        """A medic who may be asked, at home so many metres north of ``DOM``; her id."""
        medic_id = changes.get("id") or new_id()
        given = {
            "id": medic_id,
            "name": "Anna de Vries",
            "phone": f"+316{int.from_bytes(medic_id.encode()) % 10**8:08d}",
            "language": "nl",
            "skills": ("nurse",),
            "mode": "foot",
            "cleared_for_homes": True,
            "verified": True,
            "suspended": False,
            "certificate_until": None,
            "registered_by": None,
            "available": True,
            "places": (Place("home", DOM["lat"] + metres_away * METRE, DOM["lon"]),),
        }
        await medics.create(self.pool, [Medic(**{**given, **changes})])
        await self._until_known(await self.pool.fetchval("select count(*) from medic"))
        return medic_id

    async def _until_known(self, count: int) -> None:
        """As after `dispatch medics import`: the service follows."""
        client = await self.client()
        async with asyncio.timeout(30):
            while f"dispatch_medics {count}.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.01)

    async def token(self, medic_id: str) -> str:
        secret = new_token()
        assert await tokens.create(self.pool, medic_id, secret_hash=secret_hash(secret), at=0)
        return secret

    async def socket(self, hello: str | None = None) -> ClientConnection:
        socket = await connect(self.url.replace("http", "ws") + "/v1/me/socket", compression=None)
        self.stack.push_async_callback(socket.close)
        if hello is not None:
            await socket.send(json.dumps({"type": "hello", "token": hello}))
        return socket

    async def device(self, medic_id: str) -> Device:
        device = Device(await self.socket(await self.token(medic_id)), medic_id)
        assert (await device.next())["medic_id"] == medic_id
        return device

    async def medic_on_socket(self, metres_away: float = 300, **changes: Any) -> Device:
        return await self.device(await self.medic(metres_away, **changes))

    async def phone(self, medic_id: str) -> str:
        medic = await medics.get(self.pool, medic_id)
        assert medic is not None
        return medic.phone

    async def events(self, room: httpx.AsyncClient, incident_id: str) -> list[str]:
        items = (await room.get(f"/v1/incidents/{incident_id}/events")).json()["items"]
        return [event["type"] for event in items]


@asynccontextmanager
async def a_world(
    database_url: str, data_dir: Path, pool: asyncpg.Pool, twilio: TwilioDouble | None = None, **settings: Any
) -> AsyncIterator[World]:
    """The service, serving until the end."""
    bound = listening_socket("127.0.0.1", 0)
    url = url_of(bound)
    if twilio is not None:
        settings |= {
            "twilio_account_sid": ACCOUNT_SID,
            "twilio_auth_token": SecretStr(AUTH_TOKEN),
            "twilio_from": NUMBER,
            "twilio_api_url": twilio.url,
            "public_url": url,
        }
        twilio.reply_url = f"{url}/v1/twilio/sms"
    chosen = Settings.model_construct(**{**_defaults(), "database_url": SecretStr(database_url), **settings})
    async with running(chosen, read_kinds(chosen), data_dir, url) as service:
        ready = asyncio.Event()
        server = Server(service, ready.set)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        await asyncio.wait_for(ready.wait(), 10)
        try:
            async with AsyncExitStack() as stack:
                yield World(url, pool, stack, server, twilio)
        finally:
            server.stop()
            await asyncio.wait_for(serving, 20)


def _defaults() -> dict[str, Any]:
    return {name: one.default for name, one in Settings.model_fields.items()}


async def everything(pool: asyncpg.Pool) -> dict[str, str]:
    """A digest of each table but that of leases: equal before and after means that nothing was changed."""
    tables = await pool.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'node'"
    )
    return {
        name: await pool.fetchval(
            f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t"
        )
        for (name,) in tables
    }
