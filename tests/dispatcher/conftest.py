"""A node on this test's database, further ones, and a Twilio double with its webhooks on the way back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.dispatcher.texting import Texting
from tests.dispatcher.town import Town

StartTown = Callable[..., Awaitable[Town]]


@pytest.fixture
async def start_town(database_url: str) -> AsyncIterator[StartTown]:
    """Starts a node; at the end those that were not stopped or killed are stopped."""
    running: list[Town] = []

    async def start(dsn: str = database_url, **settings: Any) -> Town:
        town = await Town(dsn, **settings).start()
        running.append(town)
        return town

    yield start
    for town in reversed(running):
        if not town.pool.is_closing():
            await town.stop()


@pytest.fixture
async def town(start_town: StartTown) -> Town:
    return await start_town()


@pytest.fixture
async def texting() -> AsyncIterator[Texting]:
    """A Twilio that nobody may surprise, and what it tells of and brings back to the node that uses it."""
    texting = Texting()
    await texting.start()
    yield texting
    await texting.stop()


@pytest.fixture
async def sms_town(start_town: StartTown, texting: Texting) -> Town:
    return await start_town(channels=texting.channels)
