"""A scenario with its samples drawn anew: how much an answer hangs on what happened to be in the files.

A sample is a CSV of calls, medics or ambulances' drives, or the collisions: another year would have given
another one. Rates, grids and behaviour are no samples and stay as they are.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from simulations.planning.arrivals import Field, Replay, Source
from simulations.planning.draws import Draws, Purpose
from simulations.planning.hours import HOUR_MS, from_wall_clock, wall_clock
from simulations.planning.records import WEEK_HOURS, Longs
from simulations.planning.scenario import Scenario
from simulations.planning.sites import Spots

WEEK_MS = WEEK_HOURS * HOUR_MS


def redrawn(scenario: Scenario, nth: int) -> Scenario:
    """With as many rows in each sample, drawn from it with replacement by the scenario's seed and ``nth``."""
    draws = Draws(scenario.seed, nth)
    sample_s = scenario.ambulance_sample_s
    return replace(
        scenario,
        source=_source(scenario.source, draws, scenario.zone),
        listed=tuple(scenario.listed[row] for row in _rows(draws, 1, len(scenario.listed)).tolist()),
        ambulance_sample_s=None if sample_s is None else sample_s[_rows(draws, 2, len(sample_s))],
    )


def _rows(draws: Draws, file: int, count: int) -> Longs:
    uniforms = draws.many(Purpose.BOOTSTRAP, file, np.arange(count))
    return (uniforms * count).astype(np.int64)


def _source(source: Source, draws: Draws, zone: ZoneInfo) -> Source:
    if isinstance(source, Replay):
        return _replay(source, draws, zone)
    if isinstance(source, Field) and isinstance(source.sites, Spots):
        count = len(source.sites.lat)
        times = np.bincount(_rows(draws, 0, count), minlength=count)
        return replace(source, sites=source.sites.weighted(times.astype(np.float64)))
    return source


def _replay(source: Replay, draws: Draws, zone: ZoneInfo) -> Replay:
    """Each drawn call comes in a week drawn too: twins would ask for the same medics at once.

    Any week in which its hour, by the wall clock, is not before the file's first call or after its last.
    """
    rows = _rows(draws, 0, len(source.lat))
    shown = wall_clock(source.answered_at, zone)
    since, last = (shown - shown[0]) % WEEK_MS, shown.max() - shown[0]
    weeks = ((last - since) // WEEK_MS + 1)[rows]
    week = (draws.many(Purpose.BOOTSTRAP, 3, np.arange(len(rows))) * weeks).astype(np.int64)
    at = from_wall_clock(shown[0] + since[rows] + week * WEEK_MS, zone)
    order = np.argsort(at, kind="stable")
    rows = rows[order]
    return Replay(at[order], source.lat[rows], source.lon[rows], source.kind[rows], source.lasts_ms)
