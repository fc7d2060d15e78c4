"""`dispatch replay` on incidents that a running service decided, while it runs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.world import World, a_report
from tests.cli.conftest import Cli, MakeCli
from tests.cli.test_commands_say_what_is_wrong_in_one_line import one_line

pytest_plugins = ("tests.api.conftest",)


async def an_evening(world: World) -> tuple[str, list[str]]:
    """An incident with an accept, a decline, a change of place and an end; its id, and its medics'."""
    room = await world.room()
    devices = [await world.medic_on_socket(200 + 100 * i) for i in range(4)]
    opened = (await room.post("/v1/incidents", json=a_report(kind="unconscious", details="fell"))).json()
    path = f"/v1/incidents/{opened['id']}"
    first, second, *_ = [(device, await device.alert()) for device in devices]
    await first[0].answer("decline", first[1]["alert_id"])
    await second[0].answer("accept", second[1]["alert_id"])
    moved = {"position": {"lat": 52.0917, "lon": 5.1214}, "address": "Domplein 9"}
    assert (await room.patch(path, json=moved)).status_code == 200
    await room.post(f"{path}/more", json={"count": 2})
    await room.post(f"{path}/close")
    return opened["id"], [device.medic_id for device in devices]


async def replayed(cli: Cli, incident_id: str, *options: str) -> Any:
    done = await cli.ask("replay", incident_id, "--json", *options)
    assert done.code == 0, done.err
    return json.loads(done.out)


async def replayed_whole(world: World, cli: Cli, incident_id: str) -> tuple[Any, int]:
    """The same, once nothing happens meanwhile any more; and how many events there are."""
    async with asyncio.timeout(60):
        while True:
            before = await world.pool.fetchval("select seq from incident")
            told = await replayed(cli, incident_id)
            if await world.pool.fetchval("select seq from incident") == before:
                return told, before


async def test_todays_code_decides_the_same(world: World, cli: Cli) -> None:
    incident_id, _ = await an_evening(world)
    told, count = await replayed_whole(world, cli, incident_id)
    assert told["checked"] == {"same": len(told["decisions"]), "different": 0, "not_checkable": 0}
    events = [event for one in told["decisions"] for event in one["events"]]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) == count
    opening = told["decisions"][0]
    assert [one["command"] for one in opening["knew"]] == ["Open"]
    found = opening["knew"][0]["candidates"]
    assert [one["n"] for one in found] == [1, 2, 3, 4]
    assert [one["distance_m"] for one in found] == pytest.approx([200, 300, 400, 500], abs=3)
    assert {tuple(one["channels"]) for one in found} == {("websocket",)}


async def test_it_is_told_in_words(world: World, cli: Cli) -> None:
    incident_id, _ = await an_evening(world)
    done = await cli.run("replay", incident_id)
    assert (done.code, done.err) == (0, "")
    for told in (
        "knew, for open: 4 who might be asked",
        "wave 1: 4 chosen of 4 found",
        "alert 1: she declines over websocket",
        "alert 2: she is coming, ",
        "changed: ",
        "2 more wanted",
        "closed",
        "0 different, 0 not checkable",
    ):
        assert told in done.out, told


async def test_who_was_asked_is_told_only_when_asked_for_and_nothing_else_personal_ever(
    world: World, cli: Cli
) -> None:
    incident_id, medic_ids = await an_evening(world)
    for options in ((), ("--json",)):
        plain = (await cli.ask("replay", incident_id, *options)).out
        named = (await cli.ask("replay", incident_id, "--who", *options)).out
        assert not any(medic_id in plain for medic_id in medic_ids)
        assert all(medic_id in named for medic_id in medic_ids)
        for personal in ("Domplein", "52.09", "5.1214", "fell", "Anna de Vries", "+31"):
            assert personal not in named


async def test_what_has_been_deleted_is_said_to_be(world: World, cli: Cli) -> None:
    incident_id, medic_ids = await an_evening(world)
    me = await world.client(await world.token(medic_ids[3]))
    assert (await me.delete("/v1/me")).status_code == 204
    await world.pool.execute("delete from incident_details")
    told = await replayed(cli, incident_id)
    assert told["checked"]["different"] == 0
    assert told["checked"]["not_checkable"] > 0
    opening = told["decisions"][0]
    assert (opening["check"], opening["knew"]) == ("not_checkable", None)
    assert "deleted" in opening["why"]


async def test_a_policy_changed_since_changes_nothing(
    world: World, make_cli: MakeCli, tmp_path: Path
) -> None:
    incident_id, _ = await an_evening(world)
    file = tmp_path / "policies.toml"
    file.write_text("[unconscious]\nwanted = 9\nreach_s = 100\n", "utf-8")
    told = await replayed(make_cli(DISPATCH_POLICY_FILE=str(file)), incident_id)
    assert told["checked"]["different"] == 0


async def test_what_there_is_not_is_one_line(cli: Cli) -> None:
    done = await cli.ask("replay", "nothing")
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err) == "dispatch: there is no incident nothing"
    done = await cli.ask("replay")
    assert (done.code, done.out) == (2, "")
    done = await cli.ask("replay", "a", "b")
    assert (done.code, done.out) == (2, "")
