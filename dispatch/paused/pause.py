"""The pause after a restore: this node sends nothing, and holds every incident, until the operator resumes.

Only a restore pauses, and only an empty database is restored into: so a node finds at its start whether the
service is paused, and sees by what it looks at anyway when that is over.
"""

from collections.abc import Callable

import asyncpg

from dispatch import logs
from dispatch.check import Check
from dispatch.deciding.decisions import Decisions
from dispatch.deciding.live import Live
from dispatch.deciding.orders import pausing, resuming
from dispatch.store import service

log = logs.logger(__name__)

WHY = "the service is paused, as after a restore"


class Pause:
    """``on`` while nothing is to be sent."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.on = False

    async def begin(self) -> None:
        """Before any incident is loaded. Raises what the database raises."""
        self.on = await service.paused_at(self._pool) is not None
        if self.on:
            log.warning("paused: nothing is sent", hint="dispatch db resume")

    def saw(self, paused_at: int | None, decisions: Decisions, go_on: Callable[[Live], None]) -> None:
        """As it is in the database now. Once it is over, ``go_on`` is called for each incident in memory."""
        if not self.on or paused_at is not None:
            return
        self.on = False
        for live in decisions.memory.all():
            go_on(live)
            self.keep_to(decisions, live)

    def keep_to(self, decisions: Decisions, live: Live) -> None:
        """An incident that was loaded or decided: held while the service is paused, and no longer."""
        if live.record is None:
            return
        state = live.record.state
        if self.on and state.live and not state.paused:
            decisions.post(live, pausing)
        elif state.paused and not self.on:
            decisions.post(live, resuming)

    def checks(self) -> list[Check]:
        """For /readyz. Not needed: who took a paused node out would leave nobody to take incidents."""
        if not self.on:
            return []
        detail = "paused, as after a restore: incidents are taken as held, and nothing is sent"
        hint = "`dispatch db resume` says what would be sent, and resumes."
        return [Check("paused", False, detail, hint, needed=False)]
