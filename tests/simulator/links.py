"""What lies between two: messages take time, wait where it is clogged, and get lost. Faults are counted.

Swizzle: links are clogged one by one and unclogged in another order, so that what belongs together arrives
far apart.
"""

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from random import Random

from tests.simulator.loop import Handle, SimLoop

Deliver = Callable[[], None]


class Faults:
    """How bad it is at present, and what has gone wrong so far, by kind."""

    def __init__(self, seed: object) -> None:
        self._random = Random(f"{seed} faults").random
        self.level = 0.0
        """Multiplies every share: 0 nothing goes wrong, 1 the usual, more in a storm."""
        self.counts: dict[str, int] = {}

    def happens(self, kind: str, share: float) -> bool:
        """Whether this goes wrong now; counted if so."""
        if self.level <= 0.0 or self._random() >= share * self.level:
            return False
        self.count(kind)
        return True

    def count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Link:
    """A way in both directions. What is delivered belongs to the world, and to no node's life."""

    def __init__(self, name: str, loop: SimLoop, faults: Faults, random: Random, usual_s: float) -> None:
        self.name = name
        self._loop, self._faults, self._random = loop, faults, random
        self._usual_s = usual_s
        self._clogged = False
        self._held: list[tuple[Deliver, float]] = []

    def send(self, deliver: Deliver, *, after_s: float = 0.0) -> Handle:
        """Brings one message, not before ``after_s``."""
        delay_s = self._usual_s * (0.5 + self._random.random())
        if self._faults.happens("slow", 0.02):
            delay_s += self._random.expovariate(1 / 1.5)
        if after_s > delay_s:
            delay_s = after_s
        loop = self._loop
        return loop.call_at(loop.time() + delay_s, self._arrive, deliver, context=WORLD)

    @property
    def clogged(self) -> bool:
        return self._clogged

    def clog(self) -> None:
        self._clogged = True

    def unclog(self) -> None:
        """What waited arrives now, in any order."""
        self._clogged = False
        held, self._held = self._held, []
        for deliver, delay_s in held:
            self._loop.call_later(delay_s, self._arrive, deliver, context=WORLD)

    def _arrive(self, deliver: Deliver) -> None:
        if self._clogged:
            self._held.append((deliver, 0.05 * self._random.random()))
        else:
            deliver()


class Stream:
    """One connection over a link: its messages keep their order, and none arrives once it is cut."""

    def __init__(self, link: Link, loop: SimLoop) -> None:
        self._link, self._loop = link, loop
        self._arrived: dict[int, Deliver] = {}
        self._sent = self._due = 0
        self.cut = False

    def send(self, deliver: Deliver) -> None:
        number, self._sent = self._sent, self._sent + 1
        self._link.send(partial(self._arrive, number, deliver))

    def _arrive(self, number: int, deliver: Deliver) -> None:
        self._arrived[number] = deliver
        while not self.cut and (next_one := self._arrived.pop(self._due, None)) is not None:
            self._due += 1
            next_one()


WORLD = copy_context()
"""The context of what belongs to no life. This module is imported by the world, before any life begins."""
