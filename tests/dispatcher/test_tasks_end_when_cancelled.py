"""Tasks of the service end when it stops, also one whose cancellation a driver's error took the place of."""

import asyncio

import pytest

from dispatch import tasks
from dispatch.tasks import Tasks


async def test_a_cancellation_that_was_lost_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCELLED_S_MAX", 0.01)
    lost = 0

    async def follows() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(3600)

    some = Tasks()
    task = some.spawn(follows())
    await asyncio.sleep(0)
    await asyncio.wait_for(some.cancel(), 5)
    assert task.cancelled()
    assert lost == 2
    assert len(some) == 0
