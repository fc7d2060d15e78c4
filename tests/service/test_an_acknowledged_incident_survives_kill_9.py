"""Invariant 1: what was acknowledged to a control room survives `kill -9`, and its alerts go out."""

import asyncio
import json

import pytest

from tests.service.serving import Serving, a_report, next_of

pytestmark = pytest.mark.timeout(180)


async def test_after_kill_9_right_after_the_201_a_reconnecting_device_gets_its_alert(
    serving: Serving,
) -> None:
    tokens = await serving.people(3)
    phones = [await serving.phone(token) for token in tokens]
    status, opened = await serving.post("/v1/incidents", a_report("R-1"), **{"Idempotency-Key": "k-1"})
    await serving.kill_9()
    assert status == 201
    assert len(opened["alerts"]) == 3
    for phone in phones:
        await phone.close()

    await serving.start()
    again = [await serving.phone(token) for token in tokens]
    alerts = [await next_of(phone, "alert") for phone in again]
    assert sorted(alert["alert_id"] for alert in alerts) == sorted(alert["id"] for alert in opened["alerts"])
    for phone, alert in zip(again, alerts, strict=True):
        await phone.send(json.dumps({"type": "ack", "id": alert["id"]}))
    await again[0].send(json.dumps({"type": "accept", "alert_id": alerts[0]["alert_id"]}))
    assert (await next_of(again[0], "answered"))["state"] == "accepted"
    # Enough are coming: the others are told to stop by the new life too.
    assert {(await next_of(phone, "stand_down"))["reason"] for phone in again[1:]} == {"covered"}
    for phone in again:
        await phone.close()

    status, same = await serving.post("/v1/incidents", a_report("R-1"), **{"Idempotency-Key": "k-1"})
    assert (status, same["id"]) == (200, opened["id"]), "a client that retries gets the same incident"
    assert len(same["alerts"]) == 3, "and nobody is asked a second time"


async def test_a_device_that_acknowledged_is_not_rung_again_after_a_restart(serving: Serving) -> None:
    (token,) = await serving.people(1)
    phone = await serving.phone(token)
    _, opened = await serving.post("/v1/incidents", a_report("R-2"))
    alert = await next_of(phone, "alert")
    await phone.send(json.dumps({"type": "ack", "id": alert["id"]}))
    path = f"/v1/incidents/{opened['id']}"
    async with asyncio.timeout(10):
        while (await serving.get(path))[1]["alerts"][0]["state"] != "delivered":
            await asyncio.sleep(0.05)
    await serving.kill_9()
    await phone.close()

    await serving.start()
    again = await serving.phone(token)
    await serving.post(f"{path}/cancel", {})
    frame = json.loads(await asyncio.wait_for(again.recv(), 10))
    assert (frame["type"], frame["reason"]) == ("stand_down", "cancelled")
    await again.close()


async def test_a_clean_exit_stops_postgres_also_after_a_kill(serving: Serving) -> None:
    assert serving.postgres_processes() >= 1
    await serving.kill_9()
    assert serving.postgres_processes() >= 1, "killed without a word, the service leaves its server running"
    await serving.start()
    assert await serving.stop() == 0
    await serving.until_no_postgres()
