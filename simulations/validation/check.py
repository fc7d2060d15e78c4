"""One figure of theirs beside the same figure of ours: does theirs lie inside our interval?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstwo, norm, t

LEVEL = 0.999
"""Of every interval: of a thousand right checks one falls outside, by other seeds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Check:
    """``low`` to ``high``: our interval at `LEVEL`; ``n`` incidents (or what ``of`` says) gave ``ours``."""

    name: str
    theirs: float
    ours: float
    low: float
    high: float
    n: int
    of: str = "incidents"

    @property
    def agrees(self) -> bool:
        return self.low <= self.theirs <= self.high

    def line(self) -> str:
        return f"{'ok   ' if self.agrees else 'WRONG'} {self.said}"

    @property
    def said(self) -> str:
        ours = f"ours {self.ours:.5g} ({self.low:.5g} to {self.high:.5g})"
        return f"{self.name}: theirs {self.theirs:.5g}, {ours}, {self.n} {self.of}"


def share(name: str, theirs: float, hits: int, n: int) -> Check:
    """A probability, its interval by Wilson's score."""
    z = float(norm.ppf((1 + LEVEL) / 2))
    ours = hits / n
    centre = (ours + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(ours * (1 - ours) / n + z * z / (4 * n * n))
    return Check(name, theirs, ours, centre - half, centre + half, n)


def mean(
    name: str, theirs: float, values: Sequence[float] | Floats, *, incidents: int | None = None
) -> Check:
    """A mean of independent values, its interval by Student's t. ``incidents``: where a value is of many."""
    array = np.asarray(values, dtype=np.float64)
    return ratio(name, theirs, array, np.ones(len(array)), incidents=incidents or len(array))


def ratio(name: str, theirs: float, parts: Floats, wholes: Floats, *, incidents: int) -> Check:
    """A ratio of two sums; ``parts`` and ``wholes``: of each of many independent stretches of a run.

    Parts less wholes times the ratio have mean 0: their interval, by Student's t, is the ratio's.
    """
    n = len(parts)
    ours = float(parts.sum() / wholes.sum())
    off = float((parts - ours * wholes).std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * off / math.sqrt(n) / float(wholes.mean())
    return Check(name, theirs, ours, ours - half, ours + half, incidents)


def distribution(name: str, theirs: Floats, ours: Floats, n: int) -> Check:
    """Two distribution functions at the same points: the largest gap, in Kolmogorov's band about ours.

    Where the points are few, or the distribution steps, the band is wider than it need be, never narrower.
    ``theirs`` of the check is 0, no gap.
    """
    at = int(np.argmax(np.abs(ours - theirs)))
    gap = float(ours[at] - theirs[at])
    band = float(kstwo.ppf(LEVEL, n))
    return Check(f"{name}, largest gap", 0.0, gap, gap - band, gap + band, n)
