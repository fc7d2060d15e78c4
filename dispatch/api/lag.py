"""How far a node is behind: how long what is ready waits for the event loop, and what waits to be decided."""

import asyncio
from collections import deque
from collections.abc import Callable

from dispatch.check import Check

BEAT_S = 0.1
BEATS = 5
LATE_S = 0.25
BURST_S = 0.5
"""A burst may take so long. What is behind by more is, while it lasts, as good as always behind."""
LASTING = 2.0
"""By how much more counts what has waited for its turn all the while, and so is no burst."""


class Lag:
    """One round of the loop timed ten times a second. ``seconds`` is the shortest of the last five.

    The shortest, as CoDel has it (RFC 8289, 3.2): a queue that is always there is overload, a burst (a
    collection of garbage, one large answer) is not. Where rounds take seconds, five of them are far too many
    to wait for: a beat that is due and does not come tells as well.

    ``turns_s``: how long it takes to decide all that waits for its turn.
    """

    def __init__(self, turns_s: Callable[[], float] = lambda: 0.0) -> None:
        self._turns_s = turns_s
        self._rounds: deque[float] = deque([0.0] * BEATS, BEATS)
        self._turns: deque[float] = deque([0.0] * BEATS, BEATS)
        self._due: float | None = None

    @property
    def seconds(self) -> float:
        return max(min(self._rounds), self._overdue_s())

    @property
    def behind_s(self) -> float:
        """How far this node is behind: where more waits than can be decided soon, what lasts counts twice."""
        return max(self.seconds, self._turns_s(), self.lasting_s)

    @property
    def lasting_s(self) -> float:
        """By what has waited for its turn all the while alone."""
        return LASTING * min(self._turns)

    def _overdue_s(self) -> float:
        """How long the next beat should have come, beyond a burst."""
        if self._due is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._due - BURST_S

    def check(self) -> Check:
        """A busy loop is told, and not needed: what it can not do, it refuses."""
        ok = self.seconds < LATE_S
        hint = "More comes than this node can do, or its machine lacks CPU: add a node, or a larger machine."
        detail = f"what is ready waits {1000 * self.seconds:.0f} ms for its turn"
        return Check("loop", ok, detail, "" if ok else hint, needed=False)

    async def run(self) -> None:
        """Measures until cancelled."""
        while True:
            self._due = asyncio.get_running_loop().time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            # What is scheduled now runs first in the next round, before its sockets are read; only from
            # there to the round after it everything that is ready has had its turn.
            await asyncio.sleep(0)
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(0)
            self._rounds.append(asyncio.get_running_loop().time() - began)
            self._turns.append(self._turns_s())
