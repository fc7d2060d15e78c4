"""A few medics who are each busy or free: the states of Larson's hypercube, and their balance equations.

R. C. Larson, "A hypercube queuing model for facility location and redistricting in urban emergency services",
Computers & Operations Research 1 (1974). Bit j of a state: medic j is busy. Time runs in mean times on scene:
calls come at the rate ``load``, each of a region by its share, and go to the first free medic of the region's
order, or are lost; whoever is busy becomes free at the rate 1.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulations.validation.check import Floats


class Region(NamedTuple):
    """``share`` of all calls; ``order``: all medics, by number, whom to ask first before whom else."""

    share: float
    order: tuple[int, ...]


class Chain:
    """``states``: the share of time spent in each."""

    def __init__(self, load: float, regions: Sequence[Region]) -> None:
        self._load, self._count = load, len(regions[0].order)
        self._taken = _taken(self._count, regions)
        leaves = load * self._taken + _freed(self._count)
        self._rates: Floats = leaves - np.diag(leaves.sum(axis=1))
        self.states = _balanced(self._rates)

    @property
    def lost(self) -> float:
        """The share of calls that find nobody free: they see the states as time does."""
        return float(self.states[-1])

    def busy(self, medic: int) -> float:
        """The share of her time."""
        return float(self.states @ _is_busy(self._count, medic))

    def lost_variation(self) -> float:
        """Of the share counted among n calls the standard deviation, over the share, times sqrt(n).

        It is more than a coin's, since calls soon after each other find the same medics busy: to the variance
        of single calls comes what each leaves behind.
        """
        off = np.full(len(self.states), -self.lost)
        off[-1] += 1
        later = self._load * (self._taken @ self._to_come(off))
        return math.sqrt(float(self.states @ (off**2 + 2 * off * later))) / self.lost

    def busy_variation(self, medic: int) -> float:
        """The same for the share of a medic's time, over the time in which n calls come."""
        off: Floats = _is_busy(self._count, medic) - self.busy(medic)
        variance = 2 * float(self.states @ (off * self._to_come(off)))
        return math.sqrt(self._load * variance) / self.busy(medic)

    def _to_come(self, off: Floats) -> Floats:
        """By the state now, the integral of ``off``, which is 0 in the long run, over all time to come."""
        to_come = np.linalg.solve(self.states - self._rates, off)
        return np.asarray(to_come, dtype=np.float64)


def _balanced(rates: Floats) -> Floats:
    """What flows into a state flows out of it; the states' shares are 1 in all."""
    equations = rates.T.copy()
    equations[-1] = 1.0
    states: Floats = np.linalg.solve(equations, np.eye(len(rates))[-1])
    return states


def _taken(count: int, regions: Sequence[Region]) -> Floats:
    """The probability that a call which finds the one state leaves the other."""
    taken = np.zeros((1 << count, 1 << count))
    for state in range(1 << count):
        for share, order in regions:
            taker = next((1 << medic for medic in order if not state >> medic & 1), 0)
            taken[state, state | taker] += share
    return taken


def _freed(count: int) -> Floats:
    freed = np.zeros((1 << count, 1 << count))
    for state in range(1 << count):
        for medic in range(count):
            if state >> medic & 1:
                freed[state, state ^ 1 << medic] = 1.0
    return freed


def _is_busy(count: int, medic: int) -> Floats:
    busy: Floats = (np.arange(1 << count) >> medic & 1).astype(np.float64)
    return busy
