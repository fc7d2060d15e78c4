"""Two nodes on one database, one of them killed in the middle: no incident is lost, no phone left out."""

import asyncio

import asyncpg
import pytest

from tests.faults.conftest import MakeNode
from tests.faults.wave import Wave, medics_for

pytestmark = pytest.mark.timeout(120)

INCIDENTS = 12


async def test_all_that_was_acknowledged_is_there_and_every_phone_rang_once(
    make_node: MakeNode, pool: asyncpg.Pool
) -> None:
    people = await medics_for(pool, INCIDENTS)
    dying, other = make_node("one"), make_node("other")
    await dying.start()
    await other.start()
    async with Wave(other, people, phones_at=[dying.url, other.url]) as wave:
        async with asyncio.TaskGroup() as flow:
            for place in range(INCIDENTS):
                flow.create_task(wave.report(place, at=[dying, other]))
                await asyncio.sleep(0.1)
                if place == INCIDENTS // 2:
                    await dying.kill_9()
        await wave.every_phone_rang()
        await wave.check()
