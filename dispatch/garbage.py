"""The garbage collector's pauses, kept short.

A full collection looks at every object that there is: with thousands of sockets a good part of a second in
which nobody is alerted, every few seconds under load. So what is still there after a moment is frozen, and
not looked at again, nor is anything that a start makes. Most of it is freed without the collector all the
same; closed sockets are not, so that once many have closed everything is looked at.

A command imports far more than it makes, and all of that stays: it is looked at neither as it grows nor when
the process ends.
"""

import gc
from collections.abc import Callable

NEW_MAX = 10_000
"""New objects after which the youngest are looked at: most of them have gone by themselves by then."""
FREEZE_S = 1.0
"""Often, as what is new by then is looked at in one go: every 10 s that took 0.1 s, every second 0.02."""
CLOSED_MIN = 1_000


def not_while_starting() -> None:
    """No collection of the whole process before `started`.

    What a start imports and makes stays, the roster above all: to look at it again and again as it grows
    takes a fifth of the time that it is imported and read in.
    """
    gc.disable()


def started() -> None:
    """From now on there are collections, of what is made from now on. Asked again, also of what is new."""
    gc.freeze()
    gc.enable()


def ends() -> None:
    """Nothing is collected any more, though Python would look at everything: it all goes with the process."""
    gc.freeze()
    gc.disable()


class Garbage:
    """``sockets``: how many are open, and how many have closed since the start."""

    def __init__(self, sockets: Callable[[], tuple[int, int]]) -> None:
        self._sockets = sockets
        self._closed = 0

    async def run(self) -> None:
        """Until cancelled. Of the whole process: one is enough."""
        import asyncio  # imported after `not_while_starting`, which every command begins with

        gc.set_threshold(NEW_MAX, *gc.get_threshold()[1:])
        started()
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
