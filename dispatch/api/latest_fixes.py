"""Positions that come over sockets: the newest of each medic, taken together a few times a second.

The roster takes a hundred at once for little more than one. So they cost next to nothing while alerts go
out, and who answers is where she said a moment before.
"""

import asyncio
from collections.abc import Callable, Sequence

from dispatch import logs
from dispatch.metrics import Metrics
from dispatch.records import Fix

log = logs.logger(__name__)

BEAT_S = 0.1
A_BEAT_MAX = 1_000
BUSY_MAX = 20
"""Fixes taken a beat while the node is busy."""


class LatestFixes:
    """``take`` is given fixes; ``calm`` says whether the node has time for positions.

    Never a queue: a fix that came later replaces the one that waits, and one fix a medic is all there is.
    """

    def __init__(
        self, take: Callable[[Sequence[Fix]], None], calm: Callable[[], bool], metrics: Metrics
    ) -> None:
        self._take = take
        self._calm = calm
        self._metrics = metrics
        self._waiting: dict[str, Fix] = {}

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, fix: Fix) -> None:
        """Taken when its turn comes; it may then have been replaced."""
        if fix.medic_id in self._waiting:
            self._metrics.shed("position")
        self._waiting[fix.medic_id] = fix

    def take_hers(self, medic_id: str) -> None:
        """She is about to be decided on."""
        if (fix := self._waiting.pop(medic_id, None)) is not None:
            self._take_all((fix,))

    async def run(self) -> None:
        """Takes what waits, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.take_some()

    def take_some(self) -> None:
        """A beat's worth."""
        most = A_BEAT_MAX if self._calm() else BUSY_MAX
        known = list(self._waiting)[:most]
        if known:
            self._take_all([self._waiting.pop(medic_id) for medic_id in known])

    def _take_all(self, fixes: Sequence[Fix]) -> None:
        """One that can not be taken does not keep the others from it."""
        try:
            self._take(fixes)
        except Exception as error:
            if len(fixes) == 1:
                log.warning("position not taken", error=logs.describe(error))
                return
            for fix in fixes:
                self._take_all((fix,))
