"""Means over replications with Student's t intervals: replications are independent, incidents are not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Of a mean; sums are exact to the last bit."""

    mean: float
    half_width: float | None
    """None: of one replication, or an infinite mean."""
    variance: float | None
    """Of one replication's value; None as above."""
    n: int

    @property
    def low(self) -> float | None:
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        return None if self.half_width is None else self.mean + self.half_width


def interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Of at least one value. One that is infinite makes the mean so."""
    n = len(values)
    if any(math.isinf(value) for value in values):
        return Interval(math.inf, None, None, n)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None, None, n)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return Interval(mean, students_t(n, level) * math.sqrt(variance / n), variance, n)


def students_t(n: int, level: float) -> float:
    """Half the width of the interval from ``n`` of them, in standard errors."""
    from scipy.special import stdtrit  # half of the time that all imports take; who replicates never needs it

    return float(stdtrit(n - 1, (1 + level) / 2))
