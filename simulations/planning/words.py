"""Figures as people read them: units, signs, decimals and plurals; never -0.00, and infinity is never."""

import math
from collections.abc import Sequence

from simulations.planning.intervals import Interval
from simulations.planning.measures import MEASURES, Measure

UNITS = {"s": "s", "share": "%", "alarm": "per alarm", "year": "per medic and year"}
NEVER = "never"
BY_NAME = {measure.name: measure for measure in MEASURES}

_DECIMALS = {"s": 1, "share": 2, "alarm": 2, "year": 2}
_DECIMALS_MORE = 3
"""So many at most are added where a bound is not 0 and would look so."""


def counted(count: float, one: str, several: str = "") -> str:
    """``1 medic``, ``2,000 medics``; of a mean the whole number, of a small one its first digit."""
    shown = f"{count:,.0f}" if count >= 1 or count == 0 else f"{count:.1g}"
    return f"{shown} {one if shown == '1' else several or one + 's'}"


def lasting(years: float) -> str:
    """``7 days``, ``52 weeks``, ``12.0 years``."""
    days = years * 365.25
    if days < 21:
        return counted(max(1.0, days), "day")
    return counted(days / 7, "week") if days < 1000 else f"{years:.1f} years"


def unit(measure: Measure, difference: bool = False) -> str:
    return "percentage points" if difference and measure.unit == "share" else UNITS[measure.unit]


def level(share: float) -> str:
    """Of an interval: ``95 %``."""
    return f"{100 * share:.4g} %"


def shown(measure: Measure, values: Sequence[float | None], signed: bool = False) -> list[str]:
    """A mean and its bounds, with as many decimals each as keeps a bound that is not 0 from looking so."""
    mean, *bounds = values
    scaled = [_scaled(measure, bound) for bound in bounds if bound is not None and math.isfinite(bound)]
    decimals = least = _DECIMALS[measure.unit]
    while decimals < least + _DECIMALS_MORE and any(_looks_0(one, decimals) for one in scaled):
        decimals += 1
    return [
        "" if one is None else fixed(_scaled(measure, one), decimals, signed=signed)
        for one in (mean, *bounds)
    ]


def possible(measure: Measure, found: Interval) -> tuple[float | None, float | None]:
    """A measure's bounds, cut to what it can be: an interval of few replications may go beyond."""
    if found.low is None or found.high is None:
        return None, None
    most = 1.0 if measure.unit == "share" else math.inf
    return max(0.0, found.low), min(most, found.high)


def alike(measure: Measure, mean: float, alarms: int, at_level: float) -> str:
    """Of ``alarms`` none counted, or all did: what so many may hide where one is as likely as the other.

    The share at which it happens in one of 20 at a level of 95 %: 3 in ``alarms``, where those are many
    (Hanley and Lippman-Hand, JAMA 249 (1983) 1743-1745).
    """
    hidden = float(f"{100 * (1 - (1 - at_level) ** (1 / alarms)):.2g}")
    if mean:
        return f"all of {counted(alarms, 'alarm')}: at least {100 - hidden:.10g} %"
    bound = f": at most {hidden:g} %" if measure.unit == "share" else ""
    return f"none in {counted(alarms, 'alarm')}{bound}"


def fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    if math.isinf(value):
        return NEVER
    text = f"{value:{'+' if signed else ''}.{decimals}f}"
    return text if float(text) else f"{0:.{decimals}f}"


def _scaled(measure: Measure, value: float) -> float:
    return 100 * value if measure.unit == "share" else value


def _looks_0(value: float, decimals: int) -> bool:
    return value != 0 and float(f"{value:.{decimals}f}") == 0
