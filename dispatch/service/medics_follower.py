"""Changes to medics made elsewhere (a command, another node) are in memory within a second."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg

from dispatch import logs
from dispatch.deciding.orders import why_left
from dispatch.records import Medic
from dispatch.roster.roster import Roster
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import medics

log = logs.logger(__name__)


class MedicsFollower:
    """Reads the roster once, then what has changed since the number of the last change seen.

    ``forget_tokens`` is told who is gone; None: it may be anybody.
    """

    def __init__(self, pool: asyncpg.Pool, roster: Roster) -> None:
        self._pool = pool
        self._roster = roster
        self._reading = asyncio.Lock()
        self._left: dict[str, bool] = {}
        self._gone: dict[str, None] = {}
        self.forget_tokens: Callable[[str | None], None] = lambda _: None
        self.seen = 0

    async def load(self) -> None:
        """All medics with their places and last fixes."""
        self.seen = await medics.change_no(self._pool)
        async for batch in medics.roster(self._pool):
            self._put([medic for medic, _ in batch])
            self._roster.move_many(fix for _, fix in batch if fix is not None)

    async def look(self) -> None:
        """The roster takes over what has changed; own changes come by too, and change nothing again."""
        async with self._reading:
            if await medics.change_no(self._pool) == self.seen:
                return
            changes = await medics.changes_since(self._pool, self.seen)
            self._changed(changes.medics)
            for medic_id in changes.gone:
                if self._roster.get(medic_id) is not None:
                    self._gone[medic_id] = None
                self.forget_tokens(medic_id)
            self.seen = changes.change_no

    async def read_anew(self) -> None:
        """All medics as they are, where changes seen may be lost, and others have taken their numbers."""
        async with self._reading:
            self.seen = await medics.change_no(self._pool)
            there: set[str] = set()
            async for batch in medics.roster(self._pool):
                self._changed([medic for medic, _ in batch])
                there.update(medic.id for medic, _ in batch)
            self._gone |= dict.fromkeys(one for one in self._roster.ids() if one not in there)

    @property
    def somebody_left(self) -> bool:
        """Their alerts are still to be ended."""
        return bool(self._left or self._gone)

    async def end_their_alerts(self, dispatcher: Dispatcher) -> None:
        """Of those who left; whose alerts could not be ended is here the next time too."""
        for medic_id, asked_until_now in tuple(self._left.items()):
            await dispatcher.ask_no_more(medic_id, asked_until_now=asked_until_now)
            self._left.pop(medic_id, None)
        for medic_id in tuple(self._gone):
            await dispatcher.medic_deleted(medic_id)
            self._gone.pop(medic_id, None)

    async def ensure_known(self, medic_id: str | None) -> str | None:
        """A medic registered a moment ago is known here by the time her device speaks. Her id, or None."""
        if medic_id is not None and self._roster.get(medic_id) is None:
            medic = await medics.get(self._pool, medic_id)
            if medic is None:
                return None
            self._roster.put(medic)
        return medic_id

    def _changed(self, rows: Sequence[Medic]) -> None:
        for medic in rows:
            before = self._roster.get(medic.id)
            if before == medic:
                continue
            self._put((medic,))
            if before is not None and why_left(medic) is not None:
                self._left[medic.id] = self._left.get(medic.id, False) or why_left(before) is None

    def _put(self, rows: Sequence[Medic]) -> None:
        """One that can not be taken is left as she was: no single row keeps a node from all the others."""
        try:
            self._roster.put_many(rows)
        except ValueError as error:
            if len(rows) == 1:
                log.error("medic's row not taken", medic_id=rows[0].id, error=logs.describe(error))
                return
            for medic in rows:
                self._put((medic,))
