"""healthz, readyz and metrics: open to all, and about nobody."""

import asyncio
from typing import Any

import asyncpg
import httpx

from dispatch.store.appends import Unavailable
from tests.api.world import World, a_report


async def checks(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in (await client.get("/readyz")).json()["checks"]}


async def test_it_lives_and_is_ready(world: World) -> None:
    client = await world.client()
    assert (await client.get("/healthz")).json() == {"alive": True}
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


async def test_sms_that_is_off_is_said_with_what_to_do(world: World) -> None:
    sms = (await checks(await world.client()))["sms"]
    assert sms["ok"] is False
    assert "SMS is off" in sms["detail"]
    assert "DISPATCH_TWILIO" in sms["hint"]


async def test_sms_that_is_on_is_ok(world_with_sms: World) -> None:
    assert (await checks(await world_with_sms.client()))["sms"]["ok"] is True


async def test_a_database_that_does_not_answer_makes_it_unready(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("dispatch.watch.readiness.ANSWER_S_MAX", 0.05)
    client = await world.client()
    database = await checks(client)
    assert database["database"]["ok"] is True

    async def hangs(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("asyncpg.Pool.fetchval", hangs)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert (await checks(client))["database"]["hint"]
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_tell_how_fast_alerts_arrive_and_what_became_of_them(
    world: World, room: httpx.AsyncClient
) -> None:
    device = await world.medic_on_socket()
    await room.post("/v1/incidents", json=a_report())
    alert_id = (await device.alert())["alert_id"]
    await device.say(type="seen", alert_id=alert_id)
    await device.answer("accept", alert_id)
    answer = await (await world.client()).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'dispatch_alert_delivered_seconds_count{channel="websocket",wave="first"} 1.0',
        'dispatch_alert_seen_seconds_count{channel="websocket",wave="first"} 1.0',
        'dispatch_incidents_total{drill="no",kind="trauma"} 1.0',
        "dispatch_waves_total 1.0",
        'dispatch_answers_total{answer="accept",channel="websocket"} 1.0',
        'dispatch_notifications_total{channel="websocket",outcome="delivered",purpose="alert"} 1.0',
        'dispatch_http_requests_total{method="POST",route="/v1/incidents",status="201"} 1.0',
        "dispatch_sockets 1.0",
        "dispatch_medics 1.0",
    ):
        assert line in answer.text, line
    names = [line.split("{")[0].split()[0] for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(name.startswith("dispatch_") for name in names)
    for personal in (device.medic_id, alert_id, "Anna", "+316", "Domplein", "52.09"):
        assert personal not in answer.text


async def test_too_much_at_once_is_503_with_retry_after(make_world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("dispatch.api.admission.IN_FLIGHT_MAX", 2)
    async with make_world() as world:
        client = await world.client()
        room = await world.room()
        async with world.pool.acquire() as connection, connection.transaction():
            await connection.execute("lock table incident in access exclusive mode")
            waiting = asyncio.create_task(room.get("/v1/incidents"))
            async with asyncio.timeout(5):
                while "dispatch_http_in_flight 1.0" not in (await client.get("/metrics")).text:
                    await asyncio.sleep(0.01)
            answer = await room.get("/v1/incidents")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await waiting).status_code == 200


async def test_a_database_that_is_away_is_503_with_retry_after(
    world: World, room: httpx.AsyncClient, monkeypatch: Any
) -> None:
    for error in (
        Unavailable("x"),
        asyncpg.ConnectionDoesNotExistError("x"),
        TimeoutError(),
        OSError(5, "x"),
    ):

        async def fails(*_: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("dispatch.service.dispatcher.Dispatcher.open", fails)
        answer = await room.post("/v1/incidents", json=a_report())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), error
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_fault_of_ours_is_500_without_a_trace(
    world: World, room: httpx.AsyncClient, monkeypatch: Any
) -> None:
    async def fails(*_: Any) -> None:
        raise KeyError("secret thing")

    monkeypatch.setattr("dispatch.service.dispatcher.Dispatcher.open", fails)
    answer = await room.post("/v1/incidents", json=a_report())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
