"""Changes to medics made elsewhere (a command, another node) are in memory within a second."""

from collections.abc import Callable

import asyncpg

from dispatch.dispatcher import Dispatcher
from dispatch.roster import Roster
from dispatch.store import medics


class MedicsFollower:
    """Reads the roster once, then what has changed since the number of the last change seen.

    ``forget_tokens`` is told who is gone.
    """

    def __init__(self, pool: asyncpg.Pool, roster: Roster) -> None:
        self._pool = pool
        self._roster = roster
        self.forget_tokens: Callable[[str], None] = lambda _: None
        self.seen = 0

    async def load(self) -> None:
        """All medics with their places and last fixes."""
        self.seen = await medics.change_no(self._pool)
        async for batch in medics.roster(self._pool):
            self._roster.put_many(medic for medic, _ in batch)
            self._roster.move_many(fix for _, fix in batch if fix is not None)

    async def look(self, dispatcher: Dispatcher) -> None:
        """Takes over what has changed; own changes come by too, and change nothing a second time."""
        changes = await medics.changes_since(self._pool, self.seen)
        for medic in changes.medics:
            before = self._roster.get(medic.id)
            if before != medic:
                await dispatcher.medic_changed(medic, before=before)
        for medic_id in changes.gone:
            if self._roster.get(medic_id) is not None:
                await dispatcher.medic_deleted(medic_id)
            self.forget_tokens(medic_id)
        self.seen = changes.change_no

    async def ensure_known(self, medic_id: str | None) -> str | None:
        """A medic registered a moment ago is known here by the time her device speaks. Her id, or None."""
        if medic_id is not None and self._roster.get(medic_id) is None:
            medic = await medics.get(self._pool, medic_id)
            if medic is None:
                return None
            self._roster.put(medic)
        return medic_id
