"""An incident is opened only with a policy that the database has; a promoted standby may have lost it."""

import asyncpg

from tests.dispatcher.conftest import StartTown
from tests.dispatcher.town import a_policy, until
from tests.nodes.standby import Standby


async def test_a_report_is_taken_with_a_policy_that_was_lost(
    standby: Standby, start_town: StartTown, pool: asyncpg.Pool
) -> None:
    former = await start_town()
    await former.stop()
    await standby.receives_all()
    town = await start_town(policies={"trauma": a_policy("trauma", wanted=17)})
    kept = await pool.fetchval("select count(*) from policy")
    await standby.is_promoted()
    assert await pool.fetchval("select count(*) from policy") == kept - 1
    before = town.membership.id
    await until(lambda: town.membership.id != before)
    assert (await town.report()).policy.wanted == 17
    assert await pool.fetchval("select count(*) from policy") == kept
