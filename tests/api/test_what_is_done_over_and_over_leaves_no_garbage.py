"""Nothing of a life, nor of a connection, is in a cycle at its end: the collector has no work of it."""

import gc
import types
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.api.world import DOM, METRE, Device, World, a_report
from tests.http_client import http_client

OURS = ("dispatch", "notify", "uvicorn")


@pytest.fixture
def without_the_collector() -> Iterator[None]:
    gc.disable()
    gc.freeze()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.unfreeze()
    gc.enable()


@pytest.fixture
async def device(world: World) -> Device:
    return await world.medic_on_socket()


async def test_a_life_from_its_report_to_its_close(
    world: World, room: httpx.AsyncClient, device: Device, without_the_collector: None
) -> None:
    for n in range(3):
        report = (await room.post("/v1/incidents", json=a_report(f"R-{n}"))).json()
        await device.answer("accept", (await device.alert())["alert_id"])
        on_her_way = {"lat": DOM["lat"] + 200 * METRE, "lon": DOM["lon"], "accuracy_m": 10}
        await device.say(type="position", **on_her_way, at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        assert (await room.post(f"/v1/incidents/{report['id']}/close")).status_code == 200
        await device.next("stand_down")
    assert _left_over() == []


async def test_a_socket_that_opens_and_closes(world: World, without_the_collector: None) -> None:
    for how in ("close", "abort", "no hello"):
        socket = await world.socket(await world.token(await world.medic()) if how != "no hello" else None)
        if how == "abort":
            socket.transport.abort()
        await socket.close()
    assert _left_over() == []


async def test_a_connection_that_asks_and_goes(world: World, without_the_collector: None) -> None:
    for _ in range(3):
        async with http_client(base_url=world.url) as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/v1/incidents")).status_code == 401
    assert _left_over() == []


def _left_over() -> list[str]:
    """What of the service is in cycles that nobody holds."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    return sorted({name for one in gc.garbage if (name := _named(one)).startswith(OURS)})


def _named(one: object) -> str:
    kind = one if isinstance(one, types.FunctionType) else type(one)
    return f"{kind.__module__}.{kind.__qualname__}"
