"""The watchdog: a drill goes to a test device again and again, and silence shows on /readyz."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from dispatch.core.policy import PolicyError
from dispatch.ids import new_id
from dispatch.kinds import read_kinds
from dispatch.settings import Settings, SettingsError, read_settings
from dispatch.store import drills, feed, service
from dispatch.store.appends import Unavailable
from dispatch.watch import drill, watchdog
from simulations.twilio_double import TwilioDouble
from tests.api.conftest import MakeWorld
from tests.api.world import Device, World, a_report

TEST_DEVICE = {"skills": ("watchdog",), "drills": True, "channels": ("websocket",)}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drills come at once and often, and are waited for a second."""
    monkeypatch.setattr(watchdog, "FIRST_S", 0.05)
    monkeypatch.setattr(watchdog, "AGAIN_S", 0.1)
    monkeypatch.setattr(drill, "WAIT_S_MAX", 1)


def watched(make_world: MakeWorld, medic_id: str, **settings: Any) -> Any:
    return make_world(watchdog_medic=medic_id, watchdog_s=settings.pop("watchdog_s", 2), **settings)


async def check_of(client: httpx.AsyncClient) -> dict[str, Any]:
    checks = (await client.get("/readyz")).json()["checks"]
    (found,) = (check for check in checks if check["name"] == "watchdog")
    return dict(found)


async def until(client: httpx.AsyncClient, right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The watchdog's check, once it is so."""
    async with asyncio.timeout(30):
        while not right(check := await check_of(client)):
            await asyncio.sleep(0.02)
    return check


async def figure(client: httpx.AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name} "))
    return float(line.split()[1])


def came_back(check: dict[str, Any]) -> bool:
    return bool(check["ok"]) and "came back after" in check["detail"]


@contextlib.asynccontextmanager
async def acknowledging(device: Device) -> AsyncIterator[list[dict[str, Any]]]:
    """The device acknowledges whatever comes; what came."""
    frames: list[dict[str, Any]] = []

    async def read() -> None:
        async for text in device.socket:
            frame = json.loads(text)
            frames.append(frame)
            if "id" in frame:
                await device.say(type="ack", id=frame["id"])

    reading = asyncio.create_task(read())
    try:
        yield frames
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_off_is_said_with_what_to_do(world: World) -> None:
    client = await world.client()
    check = await check_of(client)
    assert check["ok"]
    assert not check["needed"]
    assert "DISPATCH_WATCHDOG_MEDIC" in check["detail"]
    assert "dispatch_watchdog_ok" not in (await client.get("/metrics")).text


async def test_a_device_that_falls_silent_turns_readyz_and_comes_back(make_world: MakeWorld) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        client = await world.client()
        device = await world.medic_on_socket(id=medic_id, **TEST_DEVICE)
        async with acknowledging(device) as frames:
            await until(client, came_back)
            assert (await client.get("/readyz")).status_code == 200
            assert await figure(client, "dispatch_watchdog_ok") == 1
            assert await figure(client, "dispatch_watchdog_seconds_count") >= 1
            assert await figure(client, "dispatch_watchdog_seconds_sum") < 5
            assert await figure(client, "dispatch_watchdog_success_age_seconds") < 5
        alert = next(frame for frame in frames if frame["type"] == "alert")
        assert (alert["incident"]["kind"], alert["incident"]["drill"]) == ("watchdog", True)
        silent = await until(client, lambda check: not check["ok"])  # its socket stays open
        assert "did not acknowledge a drill sent by websocket within 1 s" in silent["detail"]
        assert "the last to come back was" in silent["detail"]
        assert silent["hint"]
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert await figure(client, "dispatch_watchdog_ok") == 0
        async with acknowledging(device):
            await until(client, came_back)
        assert (await client.get("/readyz")).status_code == 200


async def test_a_device_that_is_away_is_told_and_no_drill_is_posted(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        client = await world.client()
        unknown = await until(client, lambda check: not check["ok"])
        assert "no medic with the id" in unknown["detail"]
        assert "; none has come back since the start " in unknown["detail"]
        await world.medic(id=medic_id, **TEST_DEVICE)
        away = await until(client, lambda check: "no socket" in check["detail"])
        assert not away["ok"]
        assert "let it connect" in away["hint"]
        assert await pool.fetchval("select count(*) from incident") == 0
        assert "dispatch_nobody_found_total 0.0" in (await client.get("/metrics")).text
        async with acknowledging(await world.device(medic_id)):
            await until(client, came_back)


@pytest.mark.parametrize("change", [{"suspended": True}, {"verified": False}, {"available": False}])
async def test_a_test_device_that_may_not_be_asked_is_told(
    make_world: MakeWorld, pool: asyncpg.Pool, change: dict[str, bool]
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        await world.medic(id=medic_id, **{**TEST_DEVICE, **change})
        check = await until(await world.client(), lambda check: "does not take drills" in check["detail"])
        assert not check["ok"]
        assert "not suspended" in check["hint"]
        assert await pool.fetchval("select count(*) from incident") == 0


async def test_a_watchdog_that_stands_still_is_not_ok(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its last drill said."""

    async def hangs(_: Any) -> None:
        await asyncio.Event().wait()

    medic_id = new_id()
    monkeypatch.setattr(watchdog, "SPARE_S", -2.5)  # of an interval of 2 s and a second's waiting
    async with watched(make_world, medic_id) as world:
        client = await world.client()
        async with acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)):
            await until(client, came_back)
            monkeypatch.setattr("dispatch.watch.drill.Drills.end_stuck", hangs)
            still = await until(client, lambda check: "no drill has ended for" in check["detail"])
        assert not still["ok"]
        assert "restart it" in still["hint"]


async def test_a_medic_who_is_no_test_device_is_never_asked(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        await world.medic_on_socket(id=medic_id, drills=True)
        check = await until(await world.client(), lambda check: "no test device" in check["detail"])
        assert "skill `watchdog`" in check["hint"]
        assert await pool.fetchval("select count(*) from incident") == 0


async def test_a_drill_reaches_nobody_else_and_shows_in_no_control_rooms_feed(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        client, room = await world.client(), await world.room()
        neighbours = [
            await world.medic_on_socket(10, drills=True),
            await world.medic_on_socket(10, drills=True, skills=("watchdog",)),  # another's test device
        ]
        device = await world.medic_on_socket(10, id=medic_id, **TEST_DEVICE)
        async with acknowledging(device):
            await until(client, came_back)
        asked = await pool.fetch("select distinct medic_id from alert")
        assert [row["medic_id"] for row in asked] == [medic_id]
        for neighbour in neighbours:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(neighbour.socket.recv(), 0.05)
        assert (await room.get("/v1/incidents")).json()["items"] == []
        text = (await client.get("/metrics")).text
        assert 'dispatch_alerts_total{role="direct"}' not in text  # figures of alerts are those of real ones


async def test_a_test_device_is_asked_by_no_incident_of_a_control_room(make_world: MakeWorld) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id, watchdog_s=3600) as world:
        room = await world.room()
        await world.medic_on_socket(10, id=medic_id, **TEST_DEVICE)
        for drill_too in (False, True):
            report = a_report(f"R-{drill_too}", drill=drill_too)
            incident = (await room.post("/v1/incidents", json=report)).json()
            assert "NobodyFound" in await world.events(room, incident["id"])
        answer = await room.post("/v1/incidents", json=a_report("R-3", kind="watchdog"))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_where_sms_reaches_it_a_device_without_a_socket_is_drilled_by_sms(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "WAIT_S_MAX", 5)
    medic_id, channels = new_id(), {"channels": ("websocket", "sms")}
    async with (
        TwilioDouble(live=True) as twilio,
        watched(make_world, medic_id, twilio=twilio, watchdog_s=10) as world,
    ):
        await world.medic(id=medic_id, **(TEST_DEVICE | channels))
        await until(await world.client(), came_back)
        assert "OEFENING" in twilio.messages[0].body


async def test_a_drill_that_could_not_be_closed_is_closed_the_next_time_and_counted(
    make_world: MakeWorld, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id) as world:
        client = await world.client()

        async def fails(*_: Any) -> None:
            raise Unavailable("x")

        with monkeypatch.context() as broken:
            broken.setattr("dispatch.service.dispatcher.Dispatcher.command", fails)
            async with acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)):
                failed = await until(client, lambda check: "a drill failed" in check["detail"])
                assert not failed["ok"]
                assert await pool.fetchval("select count(*) from incident where state = 'open'") == 1
                broken.undo()
                await until(client, came_back)
        assert 'dispatch_watchdog_drills_total{result="stuck"} 1.0' in (await client.get("/metrics")).text
        states = await pool.fetch("select state from incident order by opened_at")
        assert [row["state"] for row in states[:-1]] == ["closed"] * (len(states) - 1)


async def test_a_drill_that_a_node_left_when_it_died_is_closed_by_another(
    make_world: MakeWorld, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    medic_id = new_id()
    monkeypatch.setattr(drill, "STUCK_S", 0)

    async def never(*_: Any) -> None:
        return None

    with monkeypatch.context() as dying:
        dying.setattr("dispatch.watch.drill.Drills._end", never)
        async with (
            watched(make_world, medic_id) as world,
            acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)),
        ):
            await until(await world.client(), came_back)
        assert await pool.fetchval("select count(*) from incident where state = 'open'") >= 1
    left = [row["id"] for row in await pool.fetch("select id from incident where state = 'open'")]
    async with watched(make_world, medic_id) as world:
        async with asyncio.timeout(10):
            while await pool.fetchval(
                "select count(*) from incident where id = any($1) and state = 'open'", left
            ):
                await asyncio.sleep(0.02)


async def test_two_nodes_each_hold_their_own(make_world: MakeWorld, pool: asyncpg.Pool) -> None:
    one, other = new_id(), new_id()
    async with watched(make_world, one) as here, watched(make_world, other) as there:
        for world, medic_id, metres in ((here, one, 10), (there, other, 20)):
            await world.medic(metres, id=medic_id, **TEST_DEVICE)
        async with acknowledging(await here.device(one)):
            await until(await here.client(), came_back)
            assert not (await check_of(await there.client()))["ok"]
            async with acknowledging(await there.device(other)):
                await until(await there.client(), came_back)
    asked = await pool.fetch(
        "select a.medic_id, i.reference from alert a join incident i on i.id = a.incident_id"
    )
    by_node = {(row["reference"].split("-")[0], row["medic_id"]) for row in asked}
    assert len(by_node) == 2  # each node's drills went to its own device


async def test_old_drills_go_from_the_front_and_leave_the_feed_dense(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    async with watched(make_world, medic_id, watchdog_s=1) as world:
        async with acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)):
            async with asyncio.timeout(20):
                while await pool.fetchval("select count(*) from incident where not owed") < 4:
                    await asyncio.sleep(0.05)
        other_room = await world.room()
        kept = (await other_room.post("/v1/incidents", json=a_report())).json()
        await other_room.post(f"/v1/incidents/{kept['id']}/close")
    ended = [row["ended_at"] for row in await pool.fetch("select ended_at from incident order by ended_at")]
    room_id = await pool.fetchval("select id from control_room where name = 'watchdog'")
    before = await feed.read(pool, room_id, after=0, limit=1000)
    assert await drills.purge(pool, "watchdog", before=ended[0]) == 0
    assert await drills.purge(pool, "watchdog", before=ended[2]) == 2
    left = await feed.read(pool, room_id, after=0, limit=1000)
    assert left == before[-len(left) :]
    await drills.purge(pool, "watchdog", before=2**62)
    assert await feed.read(pool, room_id, after=0, limit=1000) == []
    for table in ("incident", "incident_details", "decision"):
        column = "id" if table == "incident" else "incident_id"
        assert [row[0] for row in await pool.fetch(f"select distinct {column} from {table}")] == [kept["id"]]
    for table in ("alert", "notification", "decision_input"):
        mine = "where incident_id <> $1"
        assert await pool.fetchval(f"select count(*) from {table} {mine}", kept["id"]) == 0


async def test_a_drill_that_has_not_ended_keeps_those_after_it(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    async with (
        watched(make_world, medic_id, watchdog_s=1) as world,
        acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)),
        asyncio.timeout(20),
    ):
        while await pool.fetchval("select count(*) from incident where not owed") < 3:
            await asyncio.sleep(0.05)
    first = await pool.fetchval("select id from incident order by opened_at limit 1")
    await pool.execute("update incident set owed = true where id = $1", first)
    assert await drills.purge(pool, "watchdog", before=2**62) == 0


async def test_while_the_service_is_paused_there_is_no_drill_and_it_says_so(
    make_world: MakeWorld, pool: asyncpg.Pool
) -> None:
    medic_id = new_id()
    await service.pause(pool)
    async with watched(make_world, medic_id) as world:
        client = await world.client()
        async with acknowledging(await world.medic_on_socket(id=medic_id, **TEST_DEVICE)) as frames:
            check = await until(client, lambda check: "no drill now" in check["detail"])
            assert check["ok"]
            await asyncio.sleep(0.3)  # several turns
            assert frames == []
            assert await pool.fetchval("select count(*) from incident") == 0
            await service.resume(pool)
            await until(client, came_back)


def test_the_kind_of_the_drills_is_no_policy_files(tmp_path: Path) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(
        "[watchdog]\npriority = 5\nwanted = 1\nalerts_max = 1\nreach_s = 60\nanswer_within_s = 60\n"
        "better_by_s = 1\nwaves = [{ after_s = 0, alerts = 1 }]\n"
        'ladder = [{ channel = "websocket", after_s = 0 }]\n'
    )
    with pytest.raises(PolicyError, match="the watchdog's own"):
        read_kinds(Settings.model_construct(policy_file=file))


def test_settings_that_can_not_be_used_are_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DISPATCH_WATCHDOG_MEDIC", "no id!"), ("DISPATCH_WATCHDOG_S", "5")):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            with pytest.raises(SettingsError, match=name):
                read_settings()
