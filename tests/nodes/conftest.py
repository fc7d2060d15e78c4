"""Two nodes in this process on one real Postgres, each with the sockets of its own devices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.dispatcher.texting import Texting
from tests.dispatcher.town import Town, some_medics, until

StartTown = Callable[..., Awaitable[Town]]


@pytest.fixture
async def start_town(database_url: str) -> AsyncIterator[StartTown]:
    """Starts a node; at the end those that were not stopped or killed are stopped."""
    running: list[Town] = []

    async def start(**settings: Any) -> Town:
        town = await Town(database_url, **settings).start()
        running.append(town)
        return town

    yield start
    for town in reversed(running):
        if not town.pool.is_closing():
            await town.stop()


@pytest.fixture
async def texting() -> AsyncIterator[Texting]:
    """A Twilio for both, that tells the node which the test says."""
    texting = Texting()
    await texting.start()
    yield texting
    await texting.stop()


@pytest.fixture
async def nodes(start_town: StartTown) -> AsyncIterator[tuple[Town, Town]]:
    """Node a with twelve medics and no socket yet, node b; each knows of the other and of everybody."""
    return await two(start_town)


async def two(start_town: StartTown, **settings: Any) -> tuple[Town, Town]:
    a = await start_town(node_id="node-a", **settings)
    await a.add(some_medics(12), connected=False)
    b = await start_town(node_id="node-b", **settings)
    await until(lambda: not a.membership.alone and not b.membership.alone)
    return a, b
