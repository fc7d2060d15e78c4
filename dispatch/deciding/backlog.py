"""How many orders may wait to be decided: for one incident, and on this node."""

import asyncio
from collections import deque

from dispatch.store.appends import Overloaded

ORDERS_MAX = 4096
ORDERS_EACH_MAX = 512
ANSWERS_SHARE = 0.75
"""Of the room there is, what answers may fill: the rest is for what control rooms ask."""


class Backlog:
    """Counts the orders that are not committed yet.

    Who waits for an order is refused where there is no room. What nobody waits for (a tick, a receipt, what
    became of a send) always has room: there is never more of it than there are notifications and incidents.
    """

    def __init__(self, most: int | None = None, most_each: int | None = None) -> None:
        self.most = most or ORDERS_MAX
        self._most_each = most_each or ORDERS_EACH_MAX
        self._for_room: deque[asyncio.Future[None]] = deque()
        self._let_in = 0
        """Answers that were told there is room, and whose order has not come yet."""
        self.count = 0

    def add(self, orders: int) -> None:
        self.count += orders

    def done(self, orders: int) -> None:
        """So many are committed, or refused."""
        self.count -= orders
        self._let_answers_in()

    def ensure_room(self, of_the_incident: int = 0, *, answer: bool = False) -> None:
        """Raises Overloaded where ``of_the_incident`` orders of the same one, or all, are too many."""
        share = ANSWERS_SHARE if answer else 1.0
        if self.count >= share * self.most or of_the_incident >= share * self._most_each:
            raise Overloaded("too many orders are waiting")

    async def room_for_answer(self, seconds: float) -> None:
        """Returns once there is room for an answer, first come first served. Overloaded: not in time."""
        if self._room > 0 and not self._for_room:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._for_room.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError:
            raise Overloaded("no room for an answer") from None
        finally:
            if turn.done() and not turn.cancelled():
                self._let_in -= 1
                self._let_answers_in(but=1)  # its own order is about to come
            elif turn in self._for_room:
                self._for_room.remove(turn)

    @property
    def _room(self) -> float:
        return ANSWERS_SHARE * self.most - self.count - self._let_in

    def _let_answers_in(self, but: int = 0) -> None:
        while self._for_room and self._room > but:
            turn = self._for_room.popleft()
            if not turn.done():
                turn.set_result(None)
                self._let_in += 1
