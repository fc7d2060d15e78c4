"""Several times what a node can decide, by a database that is slow: what is taken is done, the rest refused.

The database's way is shut or slow by a proxy and few incidents are decided at a time, so that what a node can
do, and what waits, are matters of the test and not of this machine.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatch.times import rfc3339
from tests.api.test_when_there_is_too_much_incidents_go_first import (
    HeldUp,
    behind_a_proxy,
    refused_for_a_while,
)
from tests.api.world import DOM, METRE, Device, a_report

FAR = {"lat": DOM["lat"] + 50_000 * METRE, "lon": DOM["lon"]}
AT_A_TIME = 2
EACH_S = 0.11
"""What a turn is taken to last: of those that wait, the fifth makes it more than half a second."""


@pytest.fixture
async def held_up(
    database_url: str, tmp_path: Path, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HeldUp]:
    monkeypatch.setattr("dispatch.deciding.turns.AT_A_TIME", AT_A_TIME)
    monkeypatch.setattr("dispatch.deciding.turns.DUE_AT_A_TIME", AT_A_TIME)
    monkeypatch.setattr("dispatch.deciding.turns.EACH_S", EACH_S)
    monkeypatch.setattr("dispatch.deciding.turns.LEARNT", 0.0)
    monkeypatch.setattr("dispatch.deciding.turns.TURN_S_MAX", 60.0)
    monkeypatch.setattr("dispatch.deciding.live.ANSWER_MAY_WAIT_S", 60.0)
    monkeypatch.setattr("dispatch.deciding.live.RECEIPT_MAY_WAIT_S", 120.0)
    monkeypatch.setattr("dispatch.api.lag.Lag.seconds", 0.0)  # however slow this machine
    monkeypatch.setattr("dispatch.api.lag.LASTING", 1.0)
    monkeypatch.setattr("dispatch.app.KEYS_S", 0.02)
    monkeypatch.setattr("dispatch.auth.KEYS_S_MAX", 60)
    monkeypatch.setattr("dispatch.service.node.RECONNECT_GRACE_MS", 0)
    async with behind_a_proxy(database_url, tmp_path, pool) as held:
        yield held


async def report(room: httpx.AsyncClient, name: str) -> httpx.Response:
    return await room.post("/v1/incidents", json=a_report(name, position=FAR), timeout=30)


async def test_what_would_wait_too_long_is_refused_before_anything_is_committed(held_up: HeldUp) -> None:
    """Positions first of all, then what is read, answers over HTTP, and reports; what is open is closed."""
    device = await held_up.world.medic_on_socket()
    bearer = await held_up.world.client(await held_up.world.token(device.medic_id))
    assert (await bearer.get("/v1/me")).status_code == 200  # her token is known from now on
    room = await held_up.room()
    first = (await room.post("/v1/incidents", json=a_report("first"))).json()
    alert = await device.alert()
    await asyncio.sleep(0.3)  # until it is known as sent, and as delivered
    await held_up.until("orders_uncommitted", 0)
    held_up.shut()
    taken: list[asyncio.Task[httpx.Response]] = []
    fix = {**DOM, "accuracy_m": 10, "at": rfc3339(int(time.time() * 1000) - 10_000)}

    async def take(waiting: int) -> None:
        """As control rooms do, which try again: of these some are refused."""
        while len(taken) < AT_A_TIME + waiting:
            trying = asyncio.create_task(report(room, f"R-{len(taken)}"))
            taking = asyncio.create_task(held_up.until("orders_uncommitted", len(taken) + 1))
            await asyncio.wait((trying, taking), return_when=asyncio.FIRST_COMPLETED)
            if trying.done():
                assert refused_for_a_while(trying.result())
                taking.cancel()
            else:
                taken.append(trying)

    await take(0)
    assert (await bearer.put("/v1/me/position", json=fix)).status_code == 204, "nothing waits yet"
    await take(1)
    assert refused_for_a_while(await bearer.put("/v1/me/position", json=fix))
    await take(2)
    assert refused_for_a_while(await room.get("/v1/incidents"))
    await take(3)
    assert refused_for_a_while(await bearer.post(f"/v1/me/alerts/{alert['alert_id']}/seen"))
    await take(5)
    refused = await asyncio.gather(*(report(room, f"R-{i}") for i in range(100, 120)))
    assert all(map(refused_for_a_while, refused)), "the database has answered nothing yet"
    closing = asyncio.create_task(room.post(f"/v1/incidents/{first['id']}/close", timeout=30))
    await held_up.until("orders_uncommitted", len(taken) + 1)
    held_up.open()
    assert {(await one).status_code for one in taken} == {201}
    assert (await closing).json()["state"] == "closed"
    assert (await device.next("stand_down"))["alert_id"] == alert["alert_id"]
    assert await held_up.world.pool.fetchval("select count(*) from incident") == 1 + len(taken)


async def test_reports_are_decided_before_answers_and_answers_before_receipts(held_up: HeldUp) -> None:
    """Though they came in the other order."""
    room = await held_up.room()
    ids, alerts, devices = [], [], []
    for i in range(2):  # an incident each, fifty kilometres apart
        metres = 300 + 50_000 * i
        devices.append(await held_up.world.medic_on_socket(metres))
        at = {"lat": DOM["lat"] + metres * METRE, "lon": DOM["lon"]}
        ids.append((await room.post("/v1/incidents", json=a_report(f"of {i}", position=at))).json()["id"])
        alerts.append(await devices[i].next("alert"))
    await asyncio.sleep(0.3)  # until both are known as sent
    await held_up.until("orders_uncommitted", 0)
    held_up.shut()
    under_way = [asyncio.create_task(report(room, f"B-{i}")) for i in range(AT_A_TIME)]
    await held_up.until("orders_uncommitted", AT_A_TIME)
    await devices[0].say(type="ack", id=alerts[0]["id"])
    await held_up.until("orders_uncommitted", AT_A_TIME + 1)
    await devices[1].say(type="decline", alert_id=alerts[1]["alert_id"])
    await held_up.until("orders_uncommitted", AT_A_TIME + 2)
    last = asyncio.create_task(report(room, "last"))
    await held_up.until("orders_uncommitted", AT_A_TIME + 3)
    held_up.open()
    assert [(await one).status_code for one in (*under_way, last)] == [201] * (AT_A_TIME + 1)
    assert (await devices[1].next("answered"))["state"] == "declined"
    await held_up.until("orders_uncommitted", 0)
    rows = await held_up.world.pool.fetch("select id from incident order by feed_pos desc limit 3")
    assert [row["id"] for row in rows] == [ids[0], ids[1], (await last).json()["id"]]


async def test_four_times_what_it_can_do_is_refused_and_what_was_taken_is_done(held_up: HeldUp) -> None:
    """The node lives on under the same lease, and no device that keeps up is dropped."""
    world, room = held_up.world, await held_up.room()
    devices = [await world.medic_on_socket(300 + i) for i in range(10)]
    node = await world.pool.fetchval("select id from node")
    answering = [asyncio.create_task(declines_all(device)) for device in devices]

    async def slowly(_: bytes) -> None:
        await asyncio.sleep(0.03)

    held_up.proxy.before = slowly
    began = asyncio.get_running_loop().time()
    reports = []
    while asyncio.get_running_loop().time() - began < 4:
        reports.append(asyncio.create_task(room.post("/v1/incidents", json=a_report(f"R-{len(reports)}"))))
        await asyncio.sleep(0.005)
    answers = [await one for one in reports]
    refused = [answer for answer in answers if answer.status_code == 503]
    taken = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(taken) + len(refused) == len(answers)
    assert taken
    assert refused
    assert all(map(refused_for_a_while, refused))
    held_up.open()
    await held_up.until("orders_uncommitted", 0)
    assert sorted(taken) == sorted(row["id"] for row in await world.pool.fetch("select id from incident"))
    told = [await task for task in answering]
    incidents = [(await room.get(f"/v1/incidents/{one}")).json() for one in taken]
    states = [alert["state"] for incident in incidents for alert in incident["alerts"]]
    assert states.count("declined") == sum(told) > 0
    assert await world.pool.fetchval("select id from node") == node, "it was not fenced for being busy"
    for device in devices:
        await device.socket.ping()
        assert device.socket.close_code is None


async def declines_all(device: Device) -> int:
    """Acknowledges and declines every alert; how many it was told are durable, when nothing more comes."""
    told = 0
    while True:
        try:
            frame = await device.next()
        except TimeoutError:
            return told
        if "id" in frame:
            await device.say(type="ack", id=frame["id"])
        if frame["type"] == "alert":
            await device.say(type="decline", alert_id=frame["alert_id"])
        told += frame["type"] == "answered"
