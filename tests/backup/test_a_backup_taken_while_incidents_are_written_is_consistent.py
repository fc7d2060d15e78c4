"""One moment of it all: no gaps in a feed, read models as the events say, each claim with its alert."""

import asyncio
from pathlib import Path

import asyncpg

from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.store import feed, incidents
from dispatch.store.append_rows import HOLDS
from dispatch.store.backup import Manifest, backup, restore
from tests.dispatcher.town import Town, some_medics

INCIDENTS = 40
MEDICS = 5 * INCIDENTS
"""Enough, and near enough, for all of them at once: three each, and one for who declines."""
BACKUPS = 4


async def lives(town: Town) -> None:
    """Incidents one after the other, each answered while the next is opened."""
    answering = []
    for _ in range(INCIDENTS):
        record = await town.report("trauma")
        answering.append(asyncio.create_task(town.answer(record, 1, "decline")))
    await asyncio.gather(*answering)


async def test_consistent(
    start_town, restored, database_url: str, empty_database: str, tmp_path: Path
) -> None:
    town = await start_town()
    await town.add(some_medics(MEDICS, step_m=4))
    busy = asyncio.create_task(lives(town))
    made: list[Manifest] = []
    while len(made) < BACKUPS or not busy.done():
        made.append(await backup(database_url, tmp_path / f"b{len(made)}"))
    await busy
    sizes = [one.rows("decision") for one in made]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 2, "they were taken while incidents were written"
    middle = next(i for i, size in enumerate(sizes) if size > 0 and size < sizes[-1])
    await restore(empty_database, tmp_path / f"b{middle}")
    pool = await restored()
    await ensure_consistent(pool, town.room_id)


async def ensure_consistent(pool: asyncpg.Pool, room_id: str) -> None:
    newest = await feed.position(pool, room_id)
    written = await feed.read(pool, room_id, after=0, limit=100_000)
    assert [one.feed_pos for one in written] == list(range(1, newest + 1))
    by_incident: dict[str, list] = {}
    for one in written:
        assert one.seq == len(by_incident.setdefault(one.incident_id, [])) + 1
        by_incident[one.incident_id].append(one.event)
    states: dict[str, Incident] = {}
    for row in await pool.fetch("select id, seq, state from incident"):
        state = states[row["id"]] = evolve_all(None, by_incident[row["id"]])
        assert (row["seq"], row["state"]) == (state.seq, state.state)
        assert await incidents.load(pool, row["id"]) is not None
    assert states.keys() == by_incident.keys()
    for row in await pool.fetch("select incident_id, n, holds from alert"):
        assert row["holds"] == HOLDS.get(states[row["incident_id"]].alert(row["n"]).state)
