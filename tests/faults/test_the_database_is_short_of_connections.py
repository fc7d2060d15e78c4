"""Every connection of the pool held up: incidents are taken and told, the others answered in time."""

import asyncio

import asyncpg
import httpx
import pytest

from dispatch.app import POOL_MAX
from tests.faults.conftest import MakeNode
from tests.faults.wave import Wave, medics_for
from tests.http_client import http_client

pytestmark = pytest.mark.timeout(120)


async def test_all_of_the_pool_waits_for_a_lock_and_incidents_are_alerted_all_the_same(
    make_node: MakeNode, pool: asyncpg.Pool
) -> None:
    people = await medics_for(pool, 2)
    node = make_node()
    await node.start()
    async with Wave(node, people) as wave, http_client(base_url=node.url, timeout=30) as client:
        await wave.report(0)
        async with pool.acquire() as blocker:
            transaction = blocker.transaction()
            await transaction.start()
            await blocker.execute("lock table enrolment_code in access exclusive mode")
            waiting = [asyncio.create_task(confirm(client, nth)) for nth in range(2 * POOL_MAX)]
            async with asyncio.timeout(5):
                while await waiting_for_a_lock(pool) < POOL_MAX - 2:  # the appender has one, and the lease
                    await asyncio.sleep(0.05)
            await asyncio.wait_for(wave.report_once(1), 3)
            await asyncio.wait_for(wave.every_phone_rang(), 3)
            assert (await node.call("GET", "/readyz"))[0] == 503, "no connection is free to ask the database"
            await transaction.rollback()
        assert set(await asyncio.gather(*waiting)) == {401}
        await node.until_ready(5)
        await wave.report(1)
        await wave.check()


async def confirm(client: httpx.AsyncClient, nth: int) -> int:
    """A device with a code that nobody was sent; the answer's status."""
    body = {"phone": f"+3538500000{nth:02}", "code": "123456"}
    return (await client.post("/v1/enrolments/confirm", json=body)).status_code


async def waiting_for_a_lock(pool: asyncpg.Pool) -> int:
    count: int = await pool.fetchval("select count(*) from pg_locks where not granted")
    return count
