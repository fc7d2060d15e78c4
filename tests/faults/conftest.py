"""Real processes, and their ends, whatever a test leaves of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from simulations.twilio_double import TwilioDouble
from tests.faults.life import POLICY, settings_of
from tests.faults.node import Node
from tests.faults.people import a_key
from tests.faults.wave import MakeNode


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    """A provider on the real clock."""
    async with TwilioDouble(live=True) as double:
        yield double


@pytest.fixture
async def make_node(
    database_url: str, pool: asyncpg.Pool, tmp_path: Path, twilio: TwilioDouble
) -> AsyncIterator[MakeNode]:
    """Nodes with SMS by the double, on this test's database; further settings change that."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    key = await a_key(pool)
    made: list[Node] = []

    def make(name: str = "node", **settings: str) -> Node:
        given = settings_of(twilio, DISPATCH_DATABASE_URL=database_url, DISPATCH_POLICY_FILE=str(policy))
        node = Node(tmp_path / name, **{**given, **settings})
        node.settings.setdefault("DISPATCH_PUBLIC_URL", node.url)
        node.key = key
        made.append(node)
        return node

    yield make
    for node in made:
        await node.stop()
