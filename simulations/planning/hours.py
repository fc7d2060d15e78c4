"""Hours of the week, local time: what medics, grids and rates go by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from simulations.planning.records import WEEK_HOURS, Floats, Longs

HOUR_MS = 3_600_000
_QUARTER_MS = 900_000
"""All time zones are set forth and back at whole quarters of an hour, in UTC and in their own time."""
_EPOCH_HOUR = 72
"""1970 began with a Thursday."""
_MS = timedelta(milliseconds=1)

YEAR_HOURS = 8766.0
"""365.25 days."""


def hours_of_week(at: Longs, zone: ZoneInfo) -> Longs:
    """0 (Monday 00:00) to 167 by the wall clock at each moment, in ms."""
    hours: Longs = (wall_clock(at, zone) // HOUR_MS + _EPOCH_HOUR) % WEEK_HOURS
    return hours


def wall_clock(at: Longs, zone: ZoneInfo) -> Longs:
    """What it shows at each moment, in ms, as if it showed UTC."""
    return at + _by_quarter(at, lambda moment: moment.astimezone(zone))


def from_wall_clock(shown: Longs, zone: ZoneInfo) -> Longs:
    """When it shows so: of the hour that comes twice the first, of the one that is left out the one after."""
    return shown - _by_quarter(shown, lambda moment: moment.replace(tzinfo=zone))


def _by_quarter(at: Longs, local: Callable[[datetime], datetime]) -> Longs:
    """By how much each is ahead of UTC, in ms, when ``local`` makes it so from a time in UTC."""
    quarters, back = np.unique(at // _QUARTER_MS, return_inverse=True)
    moments = (local(datetime.fromtimestamp(quarter * 900, UTC)) for quarter in quarters.tolist())
    ahead = (moment.utcoffset() or timedelta() for moment in moments)
    ahead_ms = np.fromiter((one // _MS for one in ahead), dtype=np.int64, count=len(quarters))
    return ahead_ms[back]


def weekly(values: float | tuple[float, ...]) -> Floats:
    """By hour of the week, from one value, 24 or all."""
    given = np.atleast_1d(np.asarray(values, dtype=np.float64))
    return np.resize(given, WEEK_HOURS)
