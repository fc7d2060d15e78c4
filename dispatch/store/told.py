"""Whoever may wait is told of a commit in a later round of the event loop, a few in each, in their order.

A commit has sixteen decisions and more. What follows from each takes half a millisecond, and a report that
has come meanwhile would wait for all of it each time that it waits for the loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable

A_ROUND = 8


class Told:
    """Begins with the next round."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def tell(self, who: Callable[[], None]) -> None:
        """Calls ``who`` in its turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._tell_some)
        self._waiting.append(who)

    def _tell_some(self) -> None:
        for _ in range(min(A_ROUND, len(self._waiting))):
            self._waiting.popleft()()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._tell_some)
