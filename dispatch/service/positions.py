"""Medics' fixes on their way to the database: the newest of each medic, written together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from dispatch import logs
from dispatch.check import Check
from dispatch.records import Fix

log = logs.logger(__name__)

FLUSH_S = 2.0
"""The contract promises the database within 5 s."""
LATE_S = 30.0


class Positions:
    """``save`` writes fixes; what could not be written is kept, and written with the next."""

    def __init__(self, save: Callable[[Sequence[Fix]], Awaitable[None]]) -> None:
        self._save = save
        self._fixes: dict[str, Fix] = {}
        self._owed_since: float | None = None
        self._saved: dict[str, Fix] = {}

    @property
    def waiting(self) -> int:
        return len(self._fixes)

    def check(self) -> Check:
        """Told, and not needed: decisions go by memory."""
        now = asyncio.get_running_loop().time()
        owed_s = 0.0 if self._owed_since is None else now - self._owed_since
        ok = owed_s < LATE_S
        hint = "The database refuses them or hangs: see the log for `positions not saved`."
        return Check("positions", ok, f"the last are {owed_s:.0f} s old", "" if ok else hint, needed=False)

    def put(self, fix: Fix) -> None:
        if self._owed_since is None:
            self._owed_since = asyncio.get_running_loop().time()
        self._fixes[fix.medic_id] = fix

    def drop(self, medic_id: str) -> None:
        self._fixes.pop(medic_id, None)
        self._saved.pop(medic_id, None)

    def recent(self) -> tuple[Fix, ...]:
        """What is not in the database yet, or has been for a moment only."""
        return tuple((self._saved | self._fixes).values())

    async def flush(self) -> None:
        """Writes what there is. Raises what the store raises; nothing is lost then."""
        fixes, self._fixes = self._fixes, {}
        if not fixes:
            self._saved = {}
            return
        try:
            await self._save(tuple(fixes.values()))
        except BaseException:
            self._fixes = {**fixes, **self._fixes}
            raise
        self._owed_since = asyncio.get_running_loop().time() if self._fixes else None
        self._saved = fixes

    async def run(self) -> None:
        """Flushes now and then, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except Exception as error:
                log.warning("positions not saved", error=type(error).__name__, waiting=self.waiting)
