"""What follows a commit of which nobody could say whether it was made.

Who waited is told so by then. An incident that was opened all the same is found, and what nobody waits for is
decided again: both on what the store has then.
"""

import asyncio

from dispatch.deciding.backlog import Backlog
from dispatch.deciding.live import Live, Order
from dispatch.deciding.memory import Memory
from dispatch.deciding.orders import tick
from dispatch.deciding.turns import Turns
from dispatch.store.appends import Unavailable
from dispatch.tasks import Tasks

AGAIN_S = 1.0
"""After which the database may be back."""
FIND_OUT_S = (1, 1, 2, 4, 8, 16, 30)
"""When it is looked whether an incident was opened after all; the database gives a commit up within 40 s."""


class UnknownOutcomes:
    """``follow_up`` is called within the turn of the incident, which is in doubt."""

    def __init__(self, memory: Memory, backlog: Backlog, turns: Turns) -> None:
        self._memory, self._backlog, self._turns = memory, backlog, turns
        self._finding_out = Tasks()

    async def follow_up(self, live: Live, orders: list[Order]) -> None:
        """Returns when the database may be back, with what nobody waits for next in the incident's queue.

        What may have been written all the same is found by loading the incident again, which a tick does.
        """
        if live.record is None:
            self._finding_out.spawn(self._look_whether_opened(live.id))
            return
        again = [order for order in orders if order.done is None] or [Order(tick)]
        with self._turns.left():
            await asyncio.sleep(AGAIN_S)
        live.orders.extendleft(reversed(again))
        self._backlog.add(len(again))

    async def close(self) -> None:
        """Nobody looks any more; the next start finds what was opened."""
        await self._finding_out.cancel()

    async def _look_whether_opened(self, incident_id: str) -> None:
        """Loaded, its alerts go out all the same."""
        for pause_s in FIND_OUT_S:
            await asyncio.sleep(pause_s)
            while True:
                try:
                    await self._memory.live(incident_id)
                except LookupError:
                    break
                except Unavailable:
                    await asyncio.sleep(AGAIN_S)
                else:
                    return
