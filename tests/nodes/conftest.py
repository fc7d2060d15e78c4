"""Two nodes in this process on one real Postgres, each with the sockets of its own devices."""

from typing import Any

import pytest

from tests.dispatcher.conftest import StartTown, start_town, texting
from tests.dispatcher.town import Town, some_medics, until
from tests.nodes.standby import promote, standby

__all__ = ["promote", "standby", "start_town", "texting"]


@pytest.fixture
async def nodes(start_town: StartTown) -> tuple[Town, Town]:
    """Node a with twelve medics and no socket yet, node b; each knows of the other and of everybody."""
    return await two(start_town)


async def two(start_town: StartTown, **settings: Any) -> tuple[Town, Town]:
    a = await start_town(node_id="node-a", **settings)
    await a.add(some_medics(12), connected=False)
    b = await start_town(node_id="node-b", **settings)
    await until(lambda: not a.membership.alone and not b.membership.alone)
    return a, b
