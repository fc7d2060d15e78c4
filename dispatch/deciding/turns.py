"""Whose orders are decided next: so many incidents at a time, and of those that wait who may wait least.

All that a busy node has not got to waits here, and not in the event loop, where nothing could go before
anything else: what is under way is little, so that each round of the loop is short. Orders of an incident
that come while it waits are decided with the first.

What waits is ordered by when it is due, not by its kind alone: a report goes before an answer that came half
a second before it, and nothing waits for ever.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dispatch.deciding.live import Live, Order
from dispatch.store.appends import Overloaded

AT_A_TIME = 32
"""Incidents being decided or committed: half of them share a commit while the others are made ready."""
DUE_AT_A_TIME = 48
"""The same, for what may not wait: a report finds room although answers have taken all of theirs."""
BEGIN_A_ROUND = 8
"""Of what may wait, so many turns begin in one round of the loop. What was gathered is ready at once, and a
report that came meanwhile would wait a round as long as all of it each time that it waits for the loop."""
GATHER_S, BUSY_GATHER_S = 0.02, 0.1
"""How long what is not urgent waits for more of its kind: too short for anybody to notice. The longer one
leaves a busy node fewer turns to take."""
BUSY = 8
"""With so many turns under way a node is busy."""
TURN_S_MAX = 10.0
"""How long somebody waits for a turn before it is refused: the database does not answer, or far too much."""
EACH_S = 0.001
"""How long a turn takes, as long as nothing is known."""
EACH_S_MAX = 0.1
"""Turns that took longer waited for the database, and say nothing of how busy the node is."""
LEARNT, LEARN_S = 0.5, 0.25
"""What such a time weighs in the mean, and how long one is."""


class Turns:
    """``begin`` is called when it is an incident's turn; whoever began says ``ended`` once."""

    def __init__(self, begin: Callable[[Live], None]) -> None:
        self._begin = begin
        self._at_a_time, self._due_at_a_time = AT_A_TIME, DUE_AT_A_TIME
        self._under_way = 0
        self._begun_this_round = 0
        self._no_rounds = False
        self._heap: list[tuple[float, int, Live]] = []
        self._due: dict[str, float] = {}
        """When each incident that waits is due; what the heap says otherwise is out of date."""
        self._gathering: dict[str, Live] = {}
        self._numbers = itertools.count()
        self._each_s = EACH_S
        self._begun, self._since = 0, 0.0
        """How many turns began since then while others waited all the time."""

    @property
    def waiting(self) -> int:
        """Incidents with orders whose turn has not come."""
        return len(self._due) + sum(known not in self._due for known in self._gathering)

    @property
    def others_wait(self) -> bool:
        """Whoever has a turn is to make room once it is over."""
        return bool(self._due)

    @property
    def waits_s(self) -> float:
        """How long all that waits takes, at the speed of late."""
        return len(self._due) * self._each_s

    def ask(self, live: Live) -> None:
        """The incident has orders; it is due when the first of them is."""
        may_wait_s = min(order.may_wait_s for order in live.orders)
        if self._has_room(due=may_wait_s == 0):
            self._due.pop(live.id, None)
            self._start(live)
            return
        due = asyncio.get_running_loop().time() + may_wait_s
        if due < self._due.get(live.id, float("inf")):
            self._due[live.id] = due
            heapq.heappush(self._heap, (due, next(self._numbers), live))

    def ask_soon(self, live: Live) -> None:
        """Together with what else it is told in this moment."""
        if not self._gathering:
            gather_s = GATHER_S if self._under_way < BUSY else BUSY_GATHER_S
            asyncio.get_running_loop().call_later(gather_s, self.gathered)
        self._gathering[live.id] = live

    def gathered(self) -> None:
        """The moment has passed."""
        gathering, self._gathering = self._gathering, {}
        for live in gathering.values():
            if live.orders and not live.running:
                self.ask(live)

    def hurry(self) -> None:
        """The end is near: nothing waits for its moment any more, or for a round."""
        self._no_rounds = True
        self.gathered()
        self._begin_next()

    def ended(self) -> None:
        """A turn is over: the next one begins."""
        self._under_way -= 1
        self._begin_next()

    @contextmanager
    def left(self) -> Iterator[None]:
        """One that only lets time pass leaves its turn to others, and has it again at once after."""
        self.ended()
        try:
            yield
        finally:
            self._under_way += 1

    def _has_room(self, *, due: bool) -> bool:
        if due:
            return self._under_way < self._due_at_a_time
        fits_in_round = self._begun_this_round < BEGIN_A_ROUND or self._no_rounds
        return fits_in_round and self._under_way < self._at_a_time

    def _begin_next(self) -> None:
        """Whoever is due first; where that one may wait still, all the others may."""
        now = asyncio.get_running_loop().time()
        while self._heap:
            due, _, live = self._heap[0]
            waits = self._due.get(live.id) == due
            if waits and not self._has_room(due=due <= now):
                return
            heapq.heappop(self._heap)
            if waits:
                del self._due[live.id]
                self._learn()
                self._start(live)
        self._begun = 0

    def _start(self, live: Live) -> None:
        self._under_way += 1
        if self._begun_this_round == 0:
            asyncio.get_running_loop().call_soon(self._next_round)
        self._begun_this_round += 1
        self._begin(live)

    def _next_round(self) -> None:
        self._begun_this_round = 0
        self._begin_next()

    def _learn(self) -> None:
        """While others wait, from one turn to the next is what a turn takes, whatever it is that takes it."""
        now = asyncio.get_running_loop().time()
        if self._begun == 0:
            self._since = now
        elif now - self._since >= LEARN_S:
            each_s = min((now - self._since) / self._begun, EACH_S_MAX)
            self._each_s += LEARNT * (each_s - self._each_s)
            self._begun, self._since = 0, now
        self._begun += 1


def together(live: Live) -> list[Order]:
    """The orders waiting, up to the second one with an idempotency key: a commit remembers one."""
    orders = [live.orders.popleft()]
    while live.orders and not (live.orders[0].remember and any(order.remember for order in orders)):
        orders.append(live.orders.popleft())
    for order in orders:
        if order.once is not None:
            live.waiting_once.pop(order.once, None)
    return orders


def still_wanted(orders: list[Order]) -> list[Order]:
    """Those but the ones that somebody has waited for too long; they are told so, and nothing is done."""
    too_old = asyncio.get_running_loop().time() - TURN_S_MAX
    late = [order for order in orders if order.done is not None and order.since < too_old]
    if not late:
        return orders
    for order in late:
        order.refuse(Overloaded("its turn did not come in time"))
    return [order for order in orders if order not in late]
