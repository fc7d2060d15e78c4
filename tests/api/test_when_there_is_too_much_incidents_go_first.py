"""More than the database can take: incidents before answers, answers before what is read, positions last.

The database is held up by a proxy, so that what waits is a matter of the test and not of this machine.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.world import DOM, METRE, Device, World, a_report, a_world
from tests.cut import Proxy

ROOM_FOR = 8
"""Orders: answers may fill 6 of them, reads come while there are less than 4, positions less than 2."""
FAR = {"lat": DOM["lat"] + 50_000 * METRE, "lon": DOM["lon"]}
NOW = "2020-01-01T00:00:00Z"


@dataclass
class HeldUp:
    """A service whose way to the database can be shut."""

    world: World
    proxy: Proxy
    client: httpx.AsyncClient
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def shut(self) -> None:
        self._open.clear()
        self.proxy.before = lambda _: self._open.wait()

    def open(self) -> None:
        self.proxy.before = None
        self._open.set()

    async def figure(self, name: str) -> float:
        found = re.search(rf"^dispatch_{name} (\S+)$", (await self.client.get("/metrics")).text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def until(self, name: str, value: float) -> None:
        async with asyncio.timeout(10):
            while await self.figure(name) != value:
                await asyncio.sleep(0.01)

    async def room(self, name: str = "Utrecht") -> httpx.AsyncClient:
        """A control room whose key is in memory by now."""
        room = await self.world.room(name)
        await asyncio.sleep(0.2)
        return room

    async def alerted(self, count: int) -> list[tuple[Device, str]]:
        """An incident that so many medics have on their phones, and their alerts; nothing waits any more."""
        devices = [await self.world.medic_on_socket(300 + i) for i in range(count)]
        room = await self.room()
        await room.post("/v1/incidents", json=a_report("first", kind="cardiac_arrest"))
        alerts = [(device, (await device.alert())["alert_id"]) for device in devices]
        await self.until("orders_uncommitted", 0)
        return alerts


@asynccontextmanager
async def behind_a_proxy(database_url: str, folder: Path, pool: Any) -> AsyncIterator[HeldUp]:
    with tempfile.TemporaryDirectory(prefix="cut") as short:
        proxy = Proxy(database_url, Path(short))
        await proxy.start()
        try:
            async with a_world(proxy.dsn, folder, pool) as world:
                held = HeldUp(world, proxy, await world.client())
                try:
                    yield held
                finally:
                    held.open()
        finally:
            await proxy.stop()


@pytest.fixture
async def held_up(
    database_url: str, tmp_path: Path, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HeldUp]:
    monkeypatch.setattr("dispatch.deciding.backlog.ORDERS_MAX", ROOM_FOR)
    monkeypatch.setattr("dispatch.api.lag.Lag.seconds", 0.0)  # however slow this machine
    monkeypatch.setattr("dispatch.app.KEYS_S", 0.02)
    monkeypatch.setattr("dispatch.auth.KEYS_S_MAX", 60)  # however slow this machine: no key is looked up
    monkeypatch.setattr("dispatch.service.following.LOOK_S", 0.02)
    monkeypatch.setattr("dispatch.service.node.RECONNECT_GRACE_MS", 0)
    async with behind_a_proxy(database_url, tmp_path, pool) as held:
        yield held


def refused_for_a_while(answer: httpx.Response) -> bool:
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    return (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_the_least_is_shed_first_and_the_incident_is_taken_with_its_alerts(held_up: HeldUp) -> None:
    alerts = await held_up.alerted(7)
    far_away = await held_up.world.medic_on_socket(50_300)
    room = await held_up.room("Zwolle")
    bearer = await held_up.world.client(await held_up.world.token(alerts[0][0].medic_id))
    held_up.shut()
    for i, (device, alert_id) in enumerate(alerts[:6]):
        if i == 2:
            fix = {**DOM, "accuracy_m": 10, "at": NOW}
            assert refused_for_a_while(await bearer.put("/v1/me/position", json=fix))
        if i == 4:
            assert refused_for_a_while(await room.get("/v1/incidents"))
        await device.say(type="decline", alert_id=alert_id)
        await held_up.until("orders_uncommitted", i + 1)
    last, last_alert = alerts[6]
    assert refused_for_a_while(await bearer.post(f"/v1/me/alerts/{alerts[0][1]}/seen"))
    assert (await last.answer("decline", last_alert)) == {
        "type": "error",
        "code": "unavailable",
        "title": "The service can not do this now; try again",
        "alert_id": last_alert,
    }
    reports = [
        asyncio.create_task(room.post("/v1/incidents", json=a_report(f"R-{i}", position=FAR))) for i in (1, 2)
    ]
    await held_up.until("orders_uncommitted", ROOM_FOR)
    assert refused_for_a_while(await room.post("/v1/incidents", json=a_report("R-3", position=FAR)))
    held_up.open()
    assert [(await report).status_code for report in reports] == [201, 201]
    assert (await far_away.alert())["incident"]["position"]["lat"] == FAR["lat"]
    for device, alert_id in alerts[:6]:
        assert (await device.next("answered")) == {
            "type": "answered",
            "alert_id": alert_id,
            "state": "declined",
        }
    assert (await last.answer("decline", last_alert))["state"] == "declined"
    shed = (await held_up.client.get("/metrics")).text
    for line in ('work="position"} 1.0', 'work="read"} 1.0', 'work="answer"} 2.0', 'work="incident"} 1.0'):
        assert f"dispatch_shed_total{{{line}" in shed


async def test_what_was_refused_is_taken_when_it_is_asked_again_and_what_was_taken_is_not_lost(
    held_up: HeldUp,
) -> None:
    room = await held_up.room()
    held_up.shut()

    async def report(i: int) -> int:
        answer = await room.post(
            "/v1/incidents", json=a_report(f"R-{i}"), headers={"Idempotency-Key": f"key-{i}"}
        )
        return answer.status_code if answer.status_code != 503 else -refused_for_a_while(answer)

    first = [asyncio.create_task(report(i)) for i in range(20)]
    await held_up.until('shed_total{work="incident"}', 20 - ROOM_FOR)
    assert await held_up.figure("orders_uncommitted") == ROOM_FOR, "nothing more than that waits"
    held_up.open()
    answers = [await one for one in first]
    assert (answers.count(201), answers.count(-1)) == (ROOM_FOR, 20 - ROOM_FOR)
    again = []
    for i in range(20):  # one after the other, as a client does that was told to wait
        again.append(await report(i))
    assert again == [200 if answers[i] == 201 else 201 for i in range(20)]
    assert await held_up.world.pool.fetchval("select count(*) from incident") == 20


async def test_a_receipt_said_again_and_again_waits_once(held_up: HeldUp) -> None:
    device = await held_up.world.medic_on_socket()
    room = await held_up.room()
    await room.post("/v1/incidents", json=a_report())
    alert = await device.next("alert")
    await asyncio.sleep(0.2)  # until it is known as sent
    await held_up.until("orders_uncommitted", 0)
    held_up.shut()
    for _ in range(60):
        await device.say(type="ack", id=alert["id"])
    await device.say(type="position", **DOM, at=NOW)
    await held_up.until("orders_uncommitted", 2)
    await asyncio.sleep(0.1)
    assert await held_up.figure("orders_uncommitted") == 2, "one being decided, one after it"
    held_up.open()
    await held_up.until("orders_uncommitted", 0)
