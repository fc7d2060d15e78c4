"""Changes to medics made elsewhere (a command, later another node) are in memory within a second."""

import asyncio

import asyncpg

from dispatch import logs
from dispatch.auth import TokenDesk
from dispatch.dispatcher import Dispatcher
from dispatch.roster import Roster
from dispatch.store import medics

log = logs.logger(__name__)

LOOK_S = 0.5


class MedicsFollower:
    """Reads the roster once, then what has changed since the number of the last change seen."""

    def __init__(self, pool: asyncpg.Pool, roster: Roster, desk: TokenDesk) -> None:
        self._pool = pool
        self._roster = roster
        self._desk = desk
        self._seen = 0

    async def load(self) -> None:
        """All medics with their places and last fixes."""
        self._seen = await medics.change_no(self._pool)
        async for batch in medics.roster(self._pool):
            self._roster.put_many(medic for medic, _ in batch)
            self._roster.move_many(fix for _, fix in batch if fix is not None)

    async def run(self, dispatcher: Dispatcher) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look(dispatcher)
            except Exception as error:
                log.warning("changes to medics not read", error=logs.describe(error))

    async def look(self, dispatcher: Dispatcher) -> None:
        """Takes over what has changed; own changes come by too, and change nothing a second time."""
        changes = await medics.changes_since(self._pool, self._seen)
        for medic in changes.medics:
            before = self._roster.get(medic.id)
            if before != medic:
                await dispatcher.medic_changed(medic, before=before)
        for medic_id in changes.gone:
            if self._roster.get(medic_id) is not None:
                await dispatcher.medic_deleted(medic_id)
            self._desk.forget(medic_id)
        self._seen = changes.change_no

    async def ensure_known(self, medic_id: str | None) -> str | None:
        """A medic registered a moment ago is known here by the time her device speaks. Her id, or None."""
        if medic_id is not None and self._roster.get(medic_id) is None:
            medic = await medics.get(self._pool, medic_id)
            if medic is None:
                return None
            self._roster.put(medic)
        return medic_id
