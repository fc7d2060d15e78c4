"""Medics' fixes on their way to the database: the newest of each medic, written together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from dispatch.records import Fix

log = structlog.get_logger("dispatch")

FLUSH_S = 2.0
"""The contract promises the database within 5 s."""


class Positions:
    """``save`` writes fixes; what could not be written is kept, and written with the next."""

    def __init__(self, save: Callable[[Sequence[Fix]], Awaitable[None]]) -> None:
        self._save = save
        self._fixes: dict[str, Fix] = {}

    @property
    def waiting(self) -> int:
        return len(self._fixes)

    def put(self, fix: Fix) -> None:
        self._fixes[fix.medic_id] = fix

    def drop(self, medic_id: str) -> None:
        self._fixes.pop(medic_id, None)

    async def flush(self) -> None:
        """Writes what there is. Raises what the store raises; nothing is lost then."""
        fixes, self._fixes = self._fixes, {}
        if not fixes:
            return
        try:
            await self._save(tuple(fixes.values()))
        except BaseException:
            self._fixes = {**fixes, **self._fixes}
            raise

    async def run(self) -> None:
        """Flushes now and then, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except Exception as error:
                log.warning("positions not saved", error=type(error).__name__, waiting=self.waiting)
