"""How far a node is behind: a lasting queue shows, or counts twice, a single burst does not."""

import asyncio
import time
from contextlib import suppress

import pytest

from dispatch.api import lag as module
from dispatch.api.lag import BEATS, Lag


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.001)


async def measured(lag: Lag) -> float:
    """After it has timed as many rounds as it looks at."""
    lag._rounds.clear()
    running = asyncio.create_task(lag.run())
    while len(lag._rounds) < BEATS:
        await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return lag.seconds


async def busy(task_s: float) -> None:
    while True:
        time.sleep(task_s)  # noqa: ASYNC251  (that is the point)
        await asyncio.sleep(0)


async def test_what_is_always_in_the_way_is_seen() -> None:
    hogs = [asyncio.create_task(busy(0.004)) for _ in range(5)]
    seconds = await measured(Lag())
    for hog in hogs:
        hog.cancel()
    await asyncio.gather(*hogs, return_exceptions=True)
    assert seconds >= 0.02, "five tasks of 4 ms in every round"


async def test_a_burst_is_not() -> None:
    lag = Lag()
    asyncio.get_running_loop().call_later(0.002, time.sleep, 0.3)
    assert await measured(lag) < 0.3


async def test_what_waits_for_its_turn_all_the_while_counts_twice() -> None:
    """So that reports are refused before answers come too late, and a burst of reports is taken."""
    waits = [0.3]
    lag = Lag(lambda: waits[0])
    assert lag.behind_s == 0.3
    await measured(lag)
    assert lag.behind_s == 0.6
    waits[0] = 0.0
    assert lag.behind_s == 0.6, "it has only just ended"
    await measured(lag)
    assert lag.behind_s < 0.3
