"""A node that dies at a stage and starts again: the incident lives on, and nothing of it happens twice."""

import asyncio
import signal

import asyncpg
import pytest

from simulations.twilio_double import TwilioDouble
from tests.faults.conftest import MakeNode
from tests.faults.life import Life
from tests.faults.node import Node
from tests.faults.people import some_medics

pytestmark = pytest.mark.timeout(180)

# With a + what was written until then has reached the other side.
STAGES = (
    "report_read",
    "before_append",
    "committed",
    "before_sockets",
    "+after_sockets",
    "+replied POST /v1/incidents",
    "receipt_read",
    "in_tick",
    "before_attempt",
    "attempt_committed",
    "provider_called",
    "+replied POST /v1/twilio/status",
    "answer_committed",
    "stand_down",
    "+replied POST /v1/incidents/{incident_id}/close",
)


@pytest.mark.parametrize("stage", STAGES)
async def test_killed_at_a_stage(
    stage: str, make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    people = await some_medics(pool, 3)
    node = make_node()
    node.kill_when_it_reaches(stage)
    await node.start()
    bringing_back = asyncio.create_task(back_after_its_death(node))
    life = Life(node, people, twilio)
    await life.live()
    await asyncio.wait_for(bringing_back, 30)
    await life.check(pool)


async def back_after_its_death(node: Node) -> None:
    assert await node.ended(60) == -signal.SIGKILL
    node.kill_when_it_reaches("")
    await node.launch()


async def test_killed_again_while_it_loads_what_was_left(
    make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    people = await some_medics(pool, 3)
    node = make_node()
    node.kill_when_it_reaches("+replied POST /v1/incidents")
    await node.start()

    async def die_twice() -> None:
        assert await node.ended(60) == -signal.SIGKILL
        node.kill_when_it_reaches("loading")
        await node.launch()
        await back_after_its_death(node)

    dying = asyncio.create_task(die_twice())
    life = Life(node, people, twilio)
    await life.live()
    await asyncio.wait_for(dying, 30)
    await life.check(pool)
