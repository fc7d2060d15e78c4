"""Positions that come over sockets: taken at once while the node keeps up, else the newest of each medic."""

import asyncio
from collections.abc import Awaitable, Callable

from dispatch import logs
from dispatch.metrics import Metrics
from dispatch.records import Fix

log = logs.logger(__name__)

BEAT_S = 0.1
A_BEAT_MAX = 20
"""Fixes taken a beat while the node is busy."""


class LatestFixes:
    """``take`` is given each fix; ``calm`` says whether the node has time for positions.

    Never a queue: a fix that came later replaces the one that waits, and one fix a medic is all there is.
    """

    def __init__(
        self, take: Callable[[Fix], Awaitable[None]], calm: Callable[[], bool], metrics: Metrics
    ) -> None:
        self._take = take
        self._calm = calm
        self._metrics = metrics
        self._waiting: dict[str, Fix] = {}

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def put(self, fix: Fix) -> None:
        """Taken now, or when its turn comes; it may then have been replaced."""
        if not self._waiting and self._calm():
            await self._take(fix)
            return
        if fix.medic_id in self._waiting:
            self._metrics.shed("position")
        self._waiting[fix.medic_id] = fix

    async def run(self) -> None:
        """Takes what waits, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            await self.take_some()

    async def take_some(self) -> None:
        """A beat's worth: all of it once the node is calm."""
        left = len(self._waiting) if self._calm() else A_BEAT_MAX
        while self._waiting and left:
            left -= 1
            fix = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self._take(fix)
            except Exception as error:
                log.warning("position not taken", error=logs.describe(error))
