"""How many incidents a check needs, so that a bias put in does not pass."""

import math

from scipy.stats import kstwobign, norm

from simulations.validation.check import LEVEL

BIAS = 0.02
"""Relative: that much of the figure itself."""
CAUGHT = 0.95
"""The probability with which it is."""


def of_a_mean(variation: float, bias: float = BIAS) -> int:
    """``variation``: the standard deviation of one value over the mean."""
    return math.ceil((_deviations() * variation / bias) ** 2)


def of_a_share(p: float, bias: float = BIAS) -> int:
    """Of a probability ``p``."""
    return of_a_mean(math.sqrt((1 - p) / p), bias)


def of_a_distribution(gap: float) -> int:
    """``gap``: how far the bias moves the distribution function where it moves it most.

    There the empirical function deviates by at most 0.5 / sqrt(n), one standard deviation.
    """
    z = float(kstwobign.ppf(LEVEL)) + 0.5 * float(norm.ppf(CAUGHT))
    return math.ceil((z / gap) ** 2)


def caught(variation: float, n: int) -> float:
    """The smallest relative bias of a mean that ``n`` incidents catch."""
    return _deviations() * variation / math.sqrt(n)


def _deviations() -> float:
    """How many standard deviations of a mean a bias must be."""
    return float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(CAUGHT))
