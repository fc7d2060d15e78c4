"""The lag of the event loop: a lasting queue shows, a single burst does not."""

import asyncio
import time
from contextlib import suppress

import pytest

from dispatch.api import lag as module
from dispatch.api.lag import BEATS, Lag


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.001)


async def measured(lag: Lag, seconds: float) -> float:
    running = asyncio.create_task(lag.run())
    await asyncio.sleep(seconds)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return lag.seconds


async def busy(task_s: float, rounds: int) -> None:
    for _ in range(rounds):
        time.sleep(task_s)  # noqa: ASYNC251  (that is the point)
        await asyncio.sleep(0)


async def test_what_is_always_in_the_way_is_seen() -> None:
    hogs = [asyncio.create_task(busy(0.004, 20)) for _ in range(5)]
    seconds = await measured(Lag(), 0.3)
    await asyncio.gather(*hogs)
    assert seconds >= 0.015, "five of 4 ms are ready in each round, but for the one it is measured from"


async def test_a_burst_is_not() -> None:
    lag = Lag()
    hog = asyncio.create_task(busy(0.1, 1))
    await measured(lag, 0.05)
    await hog
    assert len(lag._rounds) == BEATS
    assert lag.seconds < 0.1
