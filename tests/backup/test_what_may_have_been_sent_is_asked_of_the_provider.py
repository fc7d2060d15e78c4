"""A backup knows nothing of what was sent after it: an SMS that was to go out then is not just sent again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from a_night_restored import SILENCE_S, Night, succeeding, until

from dispatch.service import following, node
from dispatch.store.backup import backup, restore
from dispatch.store.database import connect_pool
from simulations.twilio_double import TwilioDouble
from tests.api.world import a_report, a_world
from tests.cli.conftest import Cli

BACK_TO_THE_OPENING = """
    delete from decision where seq > 1;
    update incident i set seq = d.count, feed_pos = d.feed_pos from decision d where d.incident_id = i.id;
    update control_room r set feed_pos = i.feed_pos from incident i;
    update notification set state = 'requested', attempted_at = null, provider_id = null;
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(node, "RECONNECT_GRACE_MS", 0)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    """The provider of both lives."""
    async with TwilioDouble(live=True) as double:
        yield double


@pytest.fixture
async def night(database_url: str, pool: asyncpg.Pool, tmp_path: Path, twilio: TwilioDouble) -> Night:
    """A backup of the moment between the commit of an SMS alert and its attempt; it is sent after that."""
    async with a_world(database_url, tmp_path, pool, twilio=twilio) as world:
        medic_id = await world.medic()
        phone = await world.phone(medic_id)
        key = await world.key()
        room = await world.client(key)
        opened = (await room.post("/v1/incidents", json=a_report())).json()
        await until(lambda: bool(twilio.phone(phone).inbox))
    await pool.execute(BACK_TO_THE_OPENING)
    await backup(database_url, tmp_path / "backup")
    return Night(opened["id"], key, {}, {"carla": medic_id}, phone, tmp_path / "backup")


async def resumed(night: Night, dsn: str, folder: Path, twilio: TwilioDouble | None) -> list[str]:
    """What carla's phone has once the restored service has gone on, and all is settled."""
    await restore(dsn, night.file)
    cli = Cli(DISPATCH_DATABASE_URL=dsn)
    async with succeeding(night, dsn, folder, twilio) as service:
        await service.until(lambda one: one["held_for"] == ["paused"])
        told = await cli.ask("db", "resume", "--close-older-than", "0")
        assert "1 perhaps sent already: the provider is asked" in told.out
        before = len(service.texts)
        assert (await cli.ask("db", "resume", "--close-older-than", "0", "--yes")).code == 0
        await service.until(lambda one: one["state"] == "closed")

        if twilio is not None:
            await until(lambda: len(service.texts) > before)
        await asyncio.sleep(SILENCE_S)
        assert before == (1 if twilio else 0)
        return service.texts


async def test_the_provider_has_it_so_its_stand_down_follows_and_no_second_alert(
    night: Night, empty_database: str, tmp_path: Path, twilio: TwilioDouble
) -> None:
    alert, stand_down = await resumed(night, empty_database, tmp_path, twilio)
    assert "je hoeft niet te komen" not in alert
    assert "je hoeft niet te komen" in stand_down


async def test_the_provider_knows_of_none_and_none_is_sent(
    night: Night, empty_database: str, tmp_path: Path
) -> None:
    """It may still turn up there; by then it is not true any more."""
    assert await resumed(night, empty_database, tmp_path, None) == []


async def test_without_a_provider_it_is_not_said_to_be_unsent(
    night: Night, database_url: str, empty_database: str, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """The restored service has SMS off: what may have gone out stays possible."""
    await restore(empty_database, night.file)
    assert (await Cli(DISPATCH_DATABASE_URL=empty_database).ask("db", "resume", "--yes")).code == 0
    successor = await connect_pool(empty_database, min_size=1, max_size=2)
    async with a_world(empty_database, tmp_path, successor) as world:
        room = await world.client(night.key)

        async def failed() -> list[dict[str, Any]]:
            items = (await room.get(f"/v1/incidents/{night.incident_id}/events")).json()["items"]
            return [one["data"] for one in items if one["data"].get("reason") == "channel_off"]

        async with asyncio.timeout(10):
            while not (found := await failed()):
                await asyncio.sleep(0.05)
    await successor.close()
    assert (found[0]["purpose"], found[0]["definite"]) == ("alert", False)
    assert {one["definite"] for one in found[1:]} <= {True}, "its stand-down was certainly never tried"
