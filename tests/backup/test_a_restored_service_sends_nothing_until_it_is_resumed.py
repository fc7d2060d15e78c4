"""It answers reads, takes incidents as held, and nobody hears of anything: over no socket, and by no SMS."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from a_night_restored import Night, Restored, a_night, ensure_silence, restored_night, succeeding

from dispatch.paused import resuming
from dispatch.service import following, node
from dispatch.store import service as service_row
from dispatch.store.appender import Appender
from dispatch.store.appends import Unavailable
from dispatch.store.backup import restore
from dispatch.store.database import DatabaseRefused
from tests.api.world import a_report
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Medics are known, and sockets missed, without delay."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(node, "RECONNECT_GRACE_MS", 0)


@pytest.fixture
async def night(database_url: str, pool: asyncpg.Pool, tmp_path: Path) -> Night:
    return await a_night(database_url, pool, tmp_path)


@pytest.fixture
async def service(night: Night, empty_database: str, tmp_path: Path) -> AsyncIterator[Restored]:
    async with restored_night(night, empty_database, tmp_path) as successor:
        yield successor


@pytest.fixture
def cli(empty_database: str) -> Cli:
    return Cli(DISPATCH_DATABASE_URL=empty_database)


def incident_of(frame: dict[str, Any]) -> str:
    return str(frame["alert_id"]).partition("-")[0]


async def test_silence_whatever_happens(service: Restored) -> None:
    anna, bob = await service.device("anna"), await service.device("bob")
    old = await service.until(lambda one: one["held_for"] == ["paused"])
    assert (old["state"], old["alerting"]["state"]) == ("held", "held")
    assert {one["state"] for one in old["alerts"]} == {"stood_down", "accepted"}

    opened = await service.room.post("/v1/incidents", json=a_report("R-2"))
    assert (opened.status_code, opened.json()["held_for"]) == (201, ["paused"])
    gone = (await service.room.post("/v1/incidents", json=a_report("R-3"))).json()["id"]
    assert (await service.room.post(f"/v1/incidents/{gone}/cancel")).status_code == 200
    assert (await service.room.post(f"/v1/incidents/{old['id']}/more", json={"count": 3})).status_code == 200
    moved = await service.room.patch(f"/v1/incidents/{old['id']}", json={"address": "Domplein 9"})
    assert moved.status_code == 200
    late = next(one for one in old["alerts"] if one["medic_id"] == service.night.ids["anna"])
    refused = await anna.answer("accept", late["id"])
    assert (refused["type"], refused["code"]) == ("error", "held")
    await service.room.post(f"/v1/incidents/{old['id']}/close")

    await ensure_silence(anna, bob)
    assert service.texts == []
    happened = await service.world.events(service.room, old["id"])
    since = happened[happened.index("IncidentHeld") :]
    assert not {"AlertRequested", "NotificationRequested"} & {*since}, "nothing was even decided to be sent"


async def test_readyz_says_so_and_what_to_do_and_the_node_stays_in(service: Restored) -> None:
    answer = await service.room.get("/readyz")
    (check,) = [one for one in answer.json()["checks"] if one["name"] == "paused"]
    assert (answer.status_code, check["ok"], check["needed"]) == (200, False, False)
    assert "dispatch db resume" in check["hint"]
    assert "dispatch_paused 1.0" in (await service.room.get("/metrics")).text


async def test_resume_says_what_it_would_send_and_then_just_that_is_sent(service: Restored, cli: Cli) -> None:
    anna, bob = await service.device("anna"), await service.device("bob")
    await service.until(lambda one: one["held_for"] == ["paused"])
    new = (await service.room.post("/v1/incidents", json=a_report("R-2"))).json()["id"]

    done = await cli.run("db", "resume", "--json")
    assert (done.code, done.err.splitlines()[-1]) == (1, "dispatch: still paused")
    old, other = json.loads(done.out)
    assert (old["incident_id"], other["incident_id"]) == (service.night.incident_id, new)
    assert old["sends"]["stand_down websocket"] == 2
    assert old["sends"]["update websocket"] == 1
    assert (other["sends"], other["alerts"], old["alerts"] > 0) == ({}, 3, True)
    told = await cli.ask("db", "resume")
    assert "up to 3 medics alerted" in told.out
    assert "2 stand-downs over websocket" in told.out
    await ensure_silence(anna, bob, seconds=0.8)

    done = await cli.run("db", "resume", "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "dispatch: resumed")
    frames = {frame["type"]: incident_of(frame) for frame in [await anna.next(), await anna.next()]}
    assert frames.keys() == {"stand_down", "alert"}
    assert frames["stand_down"] == service.night.incident_id
    assert frames["alert"] in (service.night.incident_id, new), "she is asked afresh, by the more urgent"
    go = await bob.next("update")
    assert (go["instruction"], incident_of(go)) == ("go", service.night.incident_id)
    found = await service.until(lambda one: one["state"] == "open")
    assert found["held_for"] == []
    names = [one["name"] for one in (await service.room.get("/readyz")).json()["checks"]]
    assert "paused" not in names

    done = await cli.ask("db", "resume", "--yes")
    assert (done.code, done.out) == (0, "")
    assert "not paused" in done.err


async def test_old_incidents_are_closed_first_where_asked(service: Restored, cli: Cli) -> None:
    anna = await service.device("anna")
    done = await cli.ask("db", "resume", "--close-older-than", "0", "--yes", "--json")
    assert done.code == 0, done.err
    (old,) = json.loads(done.out)
    assert (old["closes"], old["alerts"]) == (True, 0)
    frame = await anna.next()
    assert (frame["type"], incident_of(frame)) == ("stand_down", service.night.incident_id)
    closed = await service.until(lambda one: one["state"] == "closed")
    assert {one["state"] for one in closed["alerts"]} == {"stood_down"}
    replayed = await cli.ask("replay", service.night.incident_id)
    assert "control_room: closed" in replayed.out
    assert "0 different, 0 not checkable" in replayed.out


async def test_resumed_before_any_node_has_started_it_is_as_if_one_had(
    night: Night, empty_database: str, cli: Cli, tmp_path: Path
) -> None:
    """The old alerts are taken back first: they do not ring, though they were open in the backup."""
    await restore(empty_database, night.file)
    done = await cli.ask("db", "resume", "--yes", "--json")
    assert done.code == 0, done.err
    async with succeeding(night, empty_database, tmp_path) as service:
        anna = await service.device("anna")
        assert (await anna.next())["type"] == "stand_down"
        found = await service.until(lambda one: one["state"] == "open")
        assert "IncidentReleased" in await service.world.events(service.room, found["id"])


async def test_what_ended_during_the_pause_is_told_also_after_another_restart(
    night: Night, empty_database: str, cli: Cli, tmp_path: Path
) -> None:
    async with restored_night(night, empty_database, tmp_path) as first:
        await first.until(lambda one: one["held_for"] == ["paused"])
        await first.room.post(f"/v1/incidents/{night.incident_id}/close")
    async with succeeding(night, empty_database, tmp_path) as second:
        anna, bob = await second.device("anna"), await second.device("bob")
        await ensure_silence(anna, bob)
        assert (await cli.ask("db", "resume", "--yes")).code == 0
        for device in (anna, bob):
            assert (await device.next())["type"] == "stand_down"


async def test_two_nodes_hold_it_once_and_both_go_on(
    night: Night, empty_database: str, cli: Cli, tmp_path: Path
) -> None:
    async with (
        restored_night(night, empty_database, tmp_path) as one,
        succeeding(night, empty_database, tmp_path) as two,
    ):
        for node in (one, two):
            assert (await node.room.post("/v1/incidents", json=a_report(f"R-{node.world.url}"))).json()[
                "held_for"
            ] == ["paused"]
        await one.until(lambda found: found["held_for"] == ["paused"])
        assert (await cli.ask("db", "resume", "--yes")).code == 0
        for node in (one, two):
            await node.until(lambda found: found["state"] == "open")
            assert "dispatch_paused 0.0" in (await node.room.get("/metrics")).text
        happened = await one.world.events(one.room, night.incident_id)
        assert (happened.count("IncidentHeld"), happened.count("IncidentReleased")) == (1, 1)


async def test_what_could_not_be_held_first_leaves_it_paused(
    night: Night, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("the database went away")

    await restore(empty_database, night.file)
    monkeypatch.setattr(Appender, "append", away)
    async with asyncpg.create_pool(empty_database, min_size=1, max_size=3) as pool:
        with pytest.raises(DatabaseRefused, match="still paused"):
            await resuming.resume(pool, None)
        assert await service_row.paused_at(pool) is not None
