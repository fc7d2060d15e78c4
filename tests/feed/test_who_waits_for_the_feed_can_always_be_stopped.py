"""Who is woken in the moment in which she is to stop stops: a drill's end ends the waiting for it, too."""

import asyncio

import pytest

from dispatch.service.wakeups import Wakeups


async def test_woken_and_cancelled_at_once():
    wakeups, woken = Wakeups(), []

    async def follow() -> None:
        while True:
            woken.append(await wakeups.later_than("room", len(woken), 60))

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    wakeups.wake("room", 1)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await following
    assert not woken


async def test_woken_or_not_in_time():
    wakeups = Wakeups()
    assert not await wakeups.later_than("room", 0, 0.01)
    waiting = asyncio.create_task(wakeups.later_than("room", 0, 60))
    await asyncio.sleep(0)
    wakeups.wake("another", 1)
    wakeups.wake("room", 1)
    assert await waiting
    assert await wakeups.later_than("room", 0, 60), "it has grown already"
