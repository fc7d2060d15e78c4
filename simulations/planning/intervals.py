"""Means over replications with their intervals: replications are independent, incidents are not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95

FEW = 30
"""Of so many events on, counted as if each came by itself, Student's t holds what it says."""
LEAST = 0.001
"""Of the mean: a lower bound below it is told as 0."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Of a mean; sums are exact to the last bit."""

    mean: float
    low: float | None
    """None: of one replication, or an infinite mean."""
    high: float | None
    variance: float | None
    """Of one replication's value; None as above."""
    n: int

    @property
    def half_width(self) -> float | None:
        """Of Student's t, which is as far from the mean on either side."""
        return None if self.high is None else self.high - self.mean


def interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Student's t, of at least one value. One that is infinite makes the mean so."""
    n = len(values)
    if any(math.isinf(value) for value in values):
        return Interval(math.inf, None, None, None, n)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None, None, None, n)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return around(mean, students_t(n, level) * math.sqrt(variance / n), variance, n)


def around(mean: float, half_width: float, variance: float, n: int) -> Interval:
    return Interval(mean, mean - half_width, mean + half_width, variance, n)


def of_few(student: Interval, one_more: float, level: float = LEVEL) -> Interval:
    """The interval of a mean of counts, where few events make it; else Student's as it is.

    Few events are skewed: Student's t ends too low. Fay and Feuer's gamma interval (Statistics in Medicine 16
    (1997) 791-801) is the exact Poisson one where events come by themselves, wider where they come together,
    and Student's where they are many. ``one_more``: what one event adds to the mean.
    """
    mean, n = student.mean, student.n
    if not student.variance or mean <= 0:
        return student
    variance = student.variance / n
    if mean**2 / variance >= FEW:
        return student
    from scipy.special import chdtri, ndtri

    tail = (1 - level) / 2
    variance *= (students_t(n, level) / float(ndtri(1 - tail))) ** 2  # it is estimated, from n
    more, wider = mean + one_more, variance + one_more**2
    low = _gamma(mean, variance, float(chdtri(2 * mean**2 / variance, 1 - tail)))
    high = _gamma(more, wider, float(chdtri(2 * more**2 / wider, tail)))
    return Interval(mean, low if low > LEAST * mean else 0.0, high, student.variance, n)


def _gamma(mean: float, variance: float, chi_squared: float) -> float:
    """A quantile of the gamma distribution with these moments, from that of its chi-squared one."""
    return variance / (2 * mean) * chi_squared


def complement(one: Interval) -> Interval:
    """Of the share of those that do not count."""
    assert one.low is not None
    assert one.high is not None
    return Interval(1 - one.mean, 1 - one.high, 1 - one.low, one.variance, one.n)


def students_t(n: int, level: float) -> float:
    """Half the width of the interval from ``n`` of them, in standard errors."""
    from scipy.special import stdtrit  # half of the time that all imports take; who replicates never needs it

    return float(stdtrit(n - 1, (1 + level) / 2))
