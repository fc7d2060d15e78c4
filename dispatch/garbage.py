"""The garbage collector's pauses, kept short.

A full collection looks at every object that there is: with thousands of sockets a good part of a second in
which nobody is alerted, every few seconds under load. So what is still there after a moment is frozen, and
not looked at again, nor is anything that a start makes. Most of it is freed without the collector all the
same; closed sockets are not, so that once many have closed everything is looked at.
"""

import asyncio
import gc
from collections.abc import Callable

NEW_MAX = 10_000
"""New objects after which the youngest are looked at: most of them have gone by themselves by then."""
FREEZE_S = 10.0
CLOSED_MIN = 1_000


def not_while_starting() -> None:
    """No collection of the whole process before `Garbage.run`.

    What a start makes stays, the roster above all: to look at it again and again as it grows takes a fifth of
    the time that it is read in.
    """
    gc.disable()


class Garbage:
    """``sockets``: how many are open, and how many have closed since the start."""

    def __init__(self, sockets: Callable[[], tuple[int, int]]) -> None:
        self._sockets = sockets
        self._closed = 0

    async def run(self) -> None:
        """Until cancelled. Of the whole process: one is enough."""
        gc.set_threshold(NEW_MAX, *gc.get_threshold()[1:])
        gc.freeze()
        gc.enable()
        while True:
            await asyncio.sleep(FREEZE_S)
            self.look()

    def look(self) -> None:
        """Collects what is new, or everything once a quarter of the sockets has changed; freezes the rest."""
        open_, closed = self._sockets()
        if closed - self._closed >= max(CLOSED_MIN, open_ // 4):
            self._closed = closed
            gc.unfreeze()
        gc.collect()
        gc.freeze()
