"""Every connection of the pool held up: incidents are taken and told, the others answered in time."""

import asyncio
import json

import asyncpg
import pytest
from websockets.asyncio.client import connect

from dispatch.app import POOL_MAX
from dispatch.auth import new_token
from tests.faults.conftest import MakeNode
from tests.faults.wave import Wave, medics_for

pytestmark = pytest.mark.timeout(120)


async def test_all_of_the_pool_waits_for_a_lock_and_incidents_are_alerted_all_the_same(
    make_node: MakeNode, pool: asyncpg.Pool
) -> None:
    people = await medics_for(pool, 2)
    node = make_node()
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report(0)
        async with pool.acquire() as blocker:
            transaction = blocker.transaction()
            await transaction.start()
            await blocker.execute("lock table device_token in access exclusive mode")
            hellos = [asyncio.create_task(hello(node.url)) for _ in range(2 * POOL_MAX)]
            async with asyncio.timeout(5):
                while await waiting_for_a_lock(pool) < POOL_MAX - 1:  # one is the appender's
                    await asyncio.sleep(0.05)
            await asyncio.wait_for(wave.report_once(1), 3)
            await asyncio.wait_for(wave.every_phone_rang(), 3)
            assert (await node.call("GET", "/readyz"))[0] == 503, "no connection is free to ask the database"
            await transaction.rollback()
        assert set(await asyncio.gather(*hellos)) == {4401}
        await node.until_ready(5)
        await wave.report(1)
        await wave.check()


async def hello(url: str) -> int | None:
    """A device with a token that nobody knows; how its socket is closed."""
    async with connect(url.replace("http", "ws") + "/v1/me/socket", compression=None) as socket:
        await socket.send(json.dumps({"type": "hello", "token": new_token()}))
        await asyncio.wait_for(socket.wait_closed(), 30)
        return socket.close_code


async def waiting_for_a_lock(pool: asyncpg.Pool) -> int:
    count: int = await pool.fetchval("select count(*) from pg_locks where not granted")
    return count
