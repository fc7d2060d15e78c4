"""A follower that stood in the feed at the backup goes on in the new cluster: every event once, in order."""

from pathlib import Path

import asyncpg
import pytest
from a_night_restored import a_night, restored_night

from dispatch.service import following, node
from dispatch.store import feed
from tests.api.test_the_feed_shows_every_event_once_in_order import follow
from tests.api.world import a_report
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(node, "RECONNECT_GRACE_MS", 0)


async def test_gap_free_from_the_middle_of_the_old_to_the_new(
    database_url: str, pool: asyncpg.Pool, empty_database: str, tmp_path: Path
) -> None:
    night = await a_night(database_url, pool, tmp_path)
    async with restored_night(night, empty_database, tmp_path) as service:
        room_id = await service.pool.fetchval("select id from control_room where feed_pos > 0")
        written = await feed.read(pool, room_id, after=0, limit=10_000)
        at_backup = await feed.read(service.pool, room_id, after=0, limit=10_000)
        last = max(one.feed_pos for one in written if one in at_backup)
        assert last > 10
        await service.room.post("/v1/incidents", json=a_report("R-2"))
        await Cli(DISPATCH_DATABASE_URL=empty_database).ask("db", "resume", "--yes")
        await service.until(lambda one: one["state"] == "open")
        newest = int((await service.room.get("/v1/incidents")).json()["feed_id"])
        assert newest > last
        async with follow(service.room, "5") as reader:
            got = [await reader.next() for _ in range(newest - 5)]
    assert [int(position) for position, _ in got] == list(range(6, newest + 1))
    old = [(one.incident_id, one.seq) for one in at_backup if 5 < one.feed_pos <= last]
    assert [(event["incident_id"], event["seq"]) for _, event in got[: last - 5]] == old
    seqs: dict[str, list[int]] = {}
    for _, event in got:
        seqs.setdefault(event["incident_id"], []).append(event["seq"])
    for found in seqs.values():
        assert found == list(range(found[0], found[0] + len(found)))


async def test_a_follower_from_after_the_backup_is_told(
    database_url: str, pool: asyncpg.Pool, empty_database: str, tmp_path: Path
) -> None:
    night = await a_night(database_url, pool, tmp_path)
    async with restored_night(night, empty_database, tmp_path) as service:
        refused = await service.room.get("/v1/events", headers={"Last-Event-ID": "100000"})
        assert refused.status_code == 422
