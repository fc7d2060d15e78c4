"""The node's wall clock decides nothing; a step of the database's clock loses nothing and wedges nothing."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from dispatch.embedded_postgres import share
from dispatch.store.database import upgrade
from tests.faults.conftest import MakeNode
from tests.faults.server import PostgresServer
from tests.faults.stepped_clock import SteppedClock, a_stepped_clock
from tests.faults.wave import Wave, medics_for, node_at

pytestmark = pytest.mark.timeout(120)

HOUR_S = 3600


@pytest.fixture
def clock() -> Iterator[SteppedClock]:
    with a_stepped_clock() as made:
        yield made


async def test_the_nodes_own_clock_is_not_asked(
    make_node: MakeNode, pool: asyncpg.Pool, clock: SteppedClock
) -> None:
    people = await medics_for(pool, 3)
    node = make_node(**clock.environment)
    await node.start()
    async with Wave(node, people) as wave:
        for place, seconds in enumerate((0, HOUR_S, -HOUR_S)):
            clock.step(seconds)
            await wave.report(place)
            phone = wave.phones[place][0]
            await wave.until_rung(place)
            await phone.say("accept", next(iter(phone.rung)))
        await wave.until("all are covered", lambda: all(group[0].answered for group in wave.phones))
        await wave.check()
        for incident_id in wave.opened.values():
            _, trail = await node.insist("GET", f"/v1/incidents/{incident_id}/events")
            assert all(abs(seconds_ago(event["at"])) < 100 for event in trail["items"])
            assert "AlertExpired" not in {event["type"] for event in trail["items"]}
    await node.stop()
    said = json.loads(node.log.splitlines()[-1])
    assert seconds_ago(said["at"]) > HOUR_S - 100, "its clock was stepped, though"


def seconds_ago(at: str) -> float:
    return time.time() - datetime.fromisoformat(at).timestamp()


@pytest.fixture
async def postgres(
    tmp_path: Path, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PostgresServer]:
    """Its clock is the one that is stepped."""
    usual = share.clean_environment()
    monkeypatch.setattr(share, "clean_environment", lambda: usual | clock.environment)
    own = PostgresServer(tmp_path / "server")
    await own.start()
    await upgrade(own.dsn)
    yield own
    await own.stop()


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
async def test_the_databases_clock_is_stepped_and_a_node_starts_anew(
    step_s: int, clock: SteppedClock, postgres: PostgresServer, make_node: MakeNode
) -> None:
    node, people = await node_at(postgres, make_node, 2)
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report(0)
        await wave.until_rung(0)
        clock.step(step_s)
        await node.kill_9()
        await node.start()
        await wave.report(1)
        await wave.until_rung(1)
        for group in wave.phones:  # what was asked before the step can still be answered
            await group[0].say("accept", next(iter(group[0].rung)))
        await wave.until("both are covered", lambda: all(group[0].answered for group in wave.phones))
        for incident_id in wave.opened.values():
            _, trail = await node.insist("GET", f"/v1/incidents/{incident_id}/events")
            told = [event["at"] for event in trail["items"]]
            assert told == sorted(told), "within an incident time never runs back"
        assert abs(seconds_ago(trail["items"][0]["at"]) + step_s) < 100, "the database's clock was stepped"
        await wave.check()
