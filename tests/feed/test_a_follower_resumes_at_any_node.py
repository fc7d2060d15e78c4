"""Two services on one database: followers over Server-Sent Events leave at random and go on at either."""

import asyncio
from random import Random
from typing import Any

import asyncpg
import httpx

from tests.api.world import World, a_report
from tests.feed.reading import Follower, following, table

ROOMS = ("Utrecht", "Amsterdam", "Zwolle")
INCIDENTS = 6


async def lead(room: httpx.AsyncClient, name: str) -> None:
    """Opens incidents and ends them, one after the other."""
    for i in range(INCIDENTS):
        answer = await room.post("/v1/incidents", json=a_report(f"{name}-{i}"))
        assert answer.status_code == 201
        incident_id = answer.json()["id"]
        for call in ("enough", "close"):
            assert (await room.post(f"/v1/incidents/{incident_id}/{call}")).status_code == 200


async def test_each_follower_gets_every_event_once_and_in_order(make_world: Any, pool: asyncpg.Pool) -> None:
    async with make_world() as one, make_world() as other:
        services: list[World] = [one, other]
        keys = {name: await one.key(name) for name in ROOMS}
        await asyncio.sleep(0)
        followers = {
            name: [
                Follower(lambda: [world.url for world in services], keys[name], Random(f"{name} {i}"))
                for i in range(3)
            ]
            for name in ROOMS
        }
        writers = [
            (await world.client(keys[name]), f"{at}-{k}")
            for at, world in enumerate(services)
            for name in ROOMS
            for k in range(2)
        ]
        async with following([follower for many in followers.values() for follower in many]):
            await asyncio.gather(*(lead(room, name) for room, name in writers))
            for name, many in followers.items():
                room_id = await pool.fetchval("select id from control_room where name = $1", name)
                written = await table(pool, room_id)
                assert [seen.feed_pos for seen in written] == list(range(1, len(written) + 1))
                assert len(written) >= 2 * 2 * INCIDENTS * 3
                for follower in many:
                    await follower.until(len(written))
                    assert follower.seen == written
                    assert follower.connected > 1  # else nothing was resumed
