"""The double's time, and what is to happen when.

Manual (tests): time stands still, but for `advance`; what is due now happens at once all the same. Live (the
demo): time is the event loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Awaitable, Callable

Step = Callable[[], Awaitable[None]]


class Timeline:
    """Steps in the order of their time, then of their planning; one at a time."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._started_s = 0.0
        self._advanced_s = 0.0
        self._planned: list[tuple[float, int, Step]] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def now_s(self) -> float:
        """Seconds since the start."""
        if not self._live:
            return self._advanced_s
        return asyncio.get_running_loop().time() - self._started_s + self._advanced_s

    def plan(self, after_s: float, step: Step) -> None:
        """Do `step` in `after_s` seconds."""
        heapq.heappush(self._planned, (self.now_s() + after_s, next(self._numbers), step))
        self._notice()

    async def advance(self, seconds: float) -> None:
        """Move time, and wait until everything that this made due has happened."""
        self._advanced_s += seconds
        self._notice()
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is due. Raises what a step raised."""
        await self._idle.wait()
        if self._worker is not None and self._worker.done():
            self._worker.result()

    def start(self) -> None:
        self._started_s = asyncio.get_running_loop().time()
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker

    def _notice(self) -> None:
        if self._due():
            self._idle.clear()
        self._wake.set()

    def _due(self) -> bool:
        return bool(self._planned) and self._planned[0][0] <= self.now_s()

    async def _work(self) -> None:
        try:
            while True:
                await self._do_due()
                self._idle.set()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._wait_s())
        finally:
            self._idle.set()  # nobody waits for what will not happen any more

    async def _do_due(self) -> None:
        while self._due():
            _, _, step = heapq.heappop(self._planned)
            await step()

    def _wait_s(self) -> float | None:
        if not self._live or not self._planned:
            return None
        return max(0.0, self._planned[0][0] - self.now_s())
