"""Hours of the week, local time: what medics, grids and rates go by."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulations.planning.records import WEEK_HOURS, Floats, Longs

HOUR_MS = 3_600_000
_QUARTER_MS = 900_000
"""All time zones are whole quarters of an hour from UTC."""

YEAR_HOURS = 8766.0
"""365.25 days."""


def hours_of_week(at: Longs, zone: ZoneInfo) -> Longs:
    """0 (Monday 00:00) to 167 by the wall clock at each moment, in ms."""
    quarters, back = np.unique(at // _QUARTER_MS, return_inverse=True)
    local = (datetime.fromtimestamp(quarter * 900, zone) for quarter in quarters.tolist())
    hours = np.fromiter((t.weekday() * 24 + t.hour for t in local), dtype=np.int64, count=len(quarters))
    return hours[back]


def weekly(values: float | tuple[float, ...]) -> Floats:
    """By hour of the week, from one value, 24 or all."""
    given = np.atleast_1d(np.asarray(values, dtype=np.float64))
    return np.resize(given, WEEK_HOURS)
