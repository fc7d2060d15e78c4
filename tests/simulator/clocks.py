"""The clocks of the machines that nodes run on: one on the wall, that anybody may set, and a monotonic one.

A wall clock is some way off from the beginning, is stepped by up to an hour either way, or runs too fast or
too slow. A monotonic clock is never set; it stands still while its machine is suspended. While a world runs,
`time.time` and `time.time_ns` are those of the machine whose code asks: a node that asked would be told.

Unrealistic: the event loop's own time is true for all, so that timers are not late by what a clock missed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random

import pytest

from tests.simulator.loop import Life, SimLoop

OFF_S_MAX = 3600.0
DRIFT_MAX = 0.05
"""Far more than a quartz crystal's: a virtual machine that gets too little of its processor."""


class HostClock:
    """``now_ns`` is the true time, in nanoseconds since the epoch."""

    def __init__(self, loop: SimLoop, now_ns: Callable[[], int], random: Random) -> None:
        self._loop, self._now_ns, self._random = loop, now_ns, random
        self._ahead_ns = self._some_ns()
        self._drift, self._drifts_since_ns = 0.0, now_ns()
        self._missed_s = 0.0
        self._still_since_s: float | None = None

    # --- what a node's machine shows it

    def wall_ns(self) -> int:
        now_ns = self._now_ns()
        return now_ns + self._ahead_ns + round(self._drift * (now_ns - self._drifts_since_ns))

    def monotonic_s(self) -> float:
        """Since it was started."""
        now_s = self._loop.time() if self._still_since_s is None else self._still_since_s
        return now_s - self._missed_s

    def belongs_to(self, life: Life) -> None:
        """Code of this life is shown this wall clock."""
        life.context.run(_HOST.set, self)

    # --- what happens to it

    def step(self) -> float:
        """Sets the wall clock to something else within the hour; by how much, in s, forward or back."""
        before_ns = self.wall_ns()
        self._ahead_ns, self._drifts_since_ns = self._some_ns(), self._now_ns()
        return (self.wall_ns() - before_ns) / 1e9

    def run_uneven(self) -> None:
        """The wall clock is too fast or too slow from now on."""
        self._ahead_ns, self._drifts_since_ns = self.wall_ns() - self._now_ns(), self._now_ns()
        self._drift = self._random.uniform(-DRIFT_MAX, DRIFT_MAX)

    def stand_still(self) -> None:
        """Its machine is suspended: the monotonic clock does not go on."""
        if self._still_since_s is None:
            self._still_since_s = self._loop.time()

    def go_on(self) -> None:
        if self._still_since_s is not None:
            self._missed_s += self._loop.time() - self._still_since_s
            self._still_since_s = None

    def _some_ns(self) -> int:
        return round(self._random.uniform(-OFF_S_MAX, OFF_S_MAX) * 1e9)


_HOST: ContextVar[HostClock | None] = ContextVar("host", default=None)


@contextmanager
def on_the_wall(now_ns: Callable[[], int]) -> Iterator[None]:
    """`time.time` is what the wall of whoever asks shows; that of the world around the nodes is right."""

    def time_ns() -> int:
        host = _HOST.get()
        return now_ns() if host is None else host.wall_ns()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", time_ns)
        patch.setattr(time, "time", lambda: time_ns() / 1e9)
        yield
