"""The source of a scenario's calls: a rate, rates by cell, a CSV of real calls, or the collisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from simulations import collisions
from simulations.call_kinds import kind_of_title
from simulations.calls import COLUMN_NAMES, UnusableFile, degrees, is_a_day, unix_s
from simulations.planning.arrivals import Field, Replay, Source
from simulations.planning.cell_points import CellPoints, cell_of
from simulations.planning.errors import ScenarioError
from simulations.planning.grid import Grid
from simulations.planning.hours import HOUR_MS, YEAR_HOURS, hours_of_week, weekly
from simulations.planning.keys import PER_YEAR_MAX
from simulations.planning.records import WEEK_HOURS, Flags, Floats
from simulations.planning.region import Region, exchanged
from simulations.planning.sections import IncidentsKeys
from simulations.planning.sites import Anywhere, InCells, Picks, Sites, Spots, spots
from simulations.planning.table import BadRows, Row, amount, read_rows

RATE_COLUMNS = {"h3": ("h3", "cell"), "hour": ("hour", "hour_of_week"), "per_year": ("per_year",)}

BY_HOUR = (0.65,) * 6 + (1.3,) * 6 + (1.1,) * 6 + (0.95,) * 6
"""Six-hour blocks of cardiac arrests differ by a factor of 2, fewest at night and most in the morning
(10.1016/j.resuscitation.2009.10.021); the two blocks between are an assumption."""

COLLISION_YEARS = 12


class Sourced(NamedTuple):
    """A source, and the kinds that its numbers stand for."""

    source: Source
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What the source is made for: ``at_work`` by hour of the week, ``starts_at`` ms."""

    file: str
    folder: Path
    region: Region
    grid: Grid | None
    zone: ZoneInfo
    starts_at: int
    weeks: int
    at_work: Flags
    works: float

    def field(self, sites: Sites) -> Field:
        slots = self.starts_at + HOUR_MS * np.arange(self.weeks * WEEK_HOURS)
        return Field(sites, self.starts_at, hours_of_week(slots, self.zone))


def source_of(keys: IncidentsKeys, setting: Setting, bad: BadRows) -> Sourced:
    """Raises `ScenarioError`."""
    if keys.csv is not None:
        return _real_calls(keys, setting, bad)
    if keys.collisions is not None:
        return _collisions(keys, setting)
    kinds = (keys.taken_as,) if keys.taken_as else tuple(kind for kind, share in keys.kinds.items() if share)
    sites = _rates(keys, setting, bad) if keys.rates is not None else _by_people(keys, setting)
    return Sourced(setting.field(sites), kinds)


def _by_people(keys: IncidentsKeys, setting: Setting) -> Sites:
    """So many a year, where people are at that hour: at home, or some of them at work."""
    weights = _by_hour(keys)
    hourly = float(keys.per_year or 0.0) / YEAR_HOURS * weights / weights.mean()
    grid = setting.grid
    if grid is None:
        return Anywhere(hourly, setting.region)
    rows = np.arange(len(grid.cells))
    homes, works = grid.homes / grid.homes.sum(), grid.works / grid.works.sum()
    layers = [(rows, homes), (rows, (1.0 - setting.works) * homes + setting.works * works)]
    return InCells(hourly, grid.shapes, Picks(setting.at_work.astype(np.intp), layers))


def _by_hour(keys: IncidentsKeys) -> Floats:
    """Weights by hour of the week, the greatest of them 1: sums and means of the least floats lose all."""
    weights = weekly(keys.by_hour or BY_HOUR)
    scaled: Floats = weights / weights.max()
    return scaled


def _rates(keys: IncidentsKeys, setting: Setting, bad: BadRows) -> Sites:
    path = setting.folder / str(keys.rates)
    seen: dict[tuple[int, int | None], None] = {}
    rows = read_rows(path, RATE_COLUMNS, ("h3", "per_year"), lambda row: _rate(row, seen), bad)
    cells = np.unique(np.array([cell for cell, _, _ in rows], dtype=np.uint64))
    shapes = CellPoints(cells)
    outside = cells[~setting.region.holds(*shapes.centres)]
    if outside.size:
        reason = f"lies outside the region with {len(outside)} of its cells, {outside[0]:x} the first"
        if outside.size == cells.size:
            reason += exchanged(setting.region, *shapes.centres)
        raise ScenarioError(str(path), "", reason)
    per_year = np.zeros((WEEK_HOURS, len(cells)))
    share = _by_hour(keys)
    share = share / share.sum()
    for cell, hour, rate in rows:
        at = np.searchsorted(cells, np.uint64(cell))
        if hour is None:
            per_year[:, at] += rate * share
        else:
            per_year[hour, at] += rate
    if keys.by_hour and all(hour is not None for _, hour, _ in rows):
        bad.notes.append(f"{path}: each rate has its hour: incidents.by_hour is set and changes nothing")
    weeks_a_year = YEAR_HOURS / WEEK_HOURS
    columns = np.arange(len(cells))
    picks = Picks(np.arange(WEEK_HOURS), [(columns, row) for row in per_year])
    return InCells(per_year.sum(axis=1) / weeks_a_year, shapes, picks)


def _rate(row: Row, seen: dict[tuple[int, int | None], None]) -> tuple[int, int | None, float]:
    """A cell's calls a year, all of them or those in one hour of the week."""
    hour: int | None = None
    if row["hour"]:
        if not row["hour"].isdecimal() or int(row["hour"]) >= WEEK_HOURS:
            raise ValueError(f"hour is not within 0 (Monday 0:00) to {WEEK_HOURS - 1}: {row['hour'][:40]!r}")
        hour = int(row["hour"])
    cell, per_year = cell_of(row["h3"]), amount(row["per_year"], "per_year", PER_YEAR_MAX)
    if (cell, hour) in seen:
        raise ValueError(f"cell {row['h3']} comes twice{'' if hour is None else f' in hour {hour}'}")
    seen[cell, hour] = None
    return cell, hour, per_year


# --- calls of the past


_RealCall = tuple[float, float, float, str | None, bool]
"""Unix seconds, latitude, longitude, the kind (None: no medic is needed), whether only the day is known."""


def _real_calls(keys: IncidentsKeys, setting: Setting, bad: BadRows) -> Sourced:
    path, clock = setting.folder / str(keys.csv), ZoneInfo(str(keys.clock))
    needed = ("lat", "lon", "time") if keys.taken_as else ("lat", "lon", "time", "kind")

    def call(row: Row) -> _RealCall:
        lat, lon = degrees(row["lat"], "lat", 90), degrees(row["lon"], "lon", 180)
        kind = keys.taken_as or kind_of_title(row["kind"])
        return unix_s(row["time"], clock), lat, lon, kind, is_a_day(row["time"])

    def outside(calls: Sequence[_RealCall]) -> dict[int, str]:
        lat, lon = (np.array([one[n] for one in calls]) for n in (1, 2))
        indices = np.flatnonzero(~setting.region.holds(lat, lon)).tolist()
        if len(indices) == len(calls) and (why := exchanged(setting.region, lat, lon)):
            raise ScenarioError(str(path), "", f"has no call in the region{why}")
        return {index: f"lies outside the region: {lat[index]}, {lon[index]}" for index in indices}

    every = read_rows(path, COLUMN_NAMES, needed, call, bad, outside, copies_are="a call of its own")
    rows = sorted((row for row in every if row[3]), key=lambda row: row[0])
    if not rows:
        raise ScenarioError(str(path), "", "has no call that needs a medic")
    if len(rows) < len(every):
        bad.notes.append(f"{path}: {len(every) - len(rows)} of {len(every)} calls need no medic")
    if days := sum(row[4] for row in rows):
        bad.notes.append(
            f"{path}: of {days} of {len(rows)} calls only the day is known: taken for its midnight"
        )
    kinds = tuple(dict.fromkeys(str(row[3]) for row in rows))
    at, lat, lon = (np.array([row[n] for row in rows]) for n in (0, 1, 2))
    kind = np.array([kinds.index(str(row[3])) for row in rows], dtype=np.int8)
    answered_at = np.rint(at * 1000).astype(np.int64)
    by_zone: list[int] = hours_of_week(answered_at, setting.zone).tolist()
    if setting.zone.key == "UTC" and hours_of_week(answered_at, clock).tolist() != by_zone:
        bad.notes.append(
            f"{path}: its times are by {clock.key}, and hours of the week (night, work, who is available) by "
            "time_zone, UTC: is that meant?"
        )
    replay = Replay(answered_at, lat, lon, kind, int(answered_at[-1] - answered_at[0]))
    if not keys.resample:
        return Sourced(replay, kinds)
    bands = [range(hour, hour + 1) for hour in by_zone]
    a_week = _a_week(keys, len(rows), replay.years)
    return Sourced(setting.field(spots(lat, lon, kind, bands, a_week)), kinds)


def _a_week(keys: IncidentsKeys, calls: int, years: float) -> float:
    """How often each of ``calls`` comes in a week: as often as it did, or so that all make ``per_year``."""
    per_year = calls / years if keys.per_year is None else keys.per_year
    return per_year / calls / (YEAR_HOURS / WEEK_HOURS)


def _collisions(keys: IncidentsKeys, setting: Setting) -> Sourced:
    try:
        every = collisions.read_collisions()
    except UnusableFile as error:
        raise ScenarioError(setting.file, "incidents.collisions", str(error)) from None
    lat, lon = (np.array([getattr(one, name) for one in every]) for name in ("lat", "lon"))
    inside = setting.region.holds(lat, lon)
    if not inside.any():
        reason = f"none lies in the region{exchanged(setting.region, lat, lon)}"
        raise ScenarioError(setting.file, "incidents.collisions", reason)
    bands = [_band(one) for one, kept in zip(every, inside.tolist(), strict=True) if kept]
    a_week = _a_week(keys, len(bands), COLLISION_YEARS)
    kind = np.zeros(len(bands), dtype=np.int8)
    found = spots(lat[inside], lon[inside], kind, bands, a_week)
    return Sourced(setting.field(found), (keys.taken_as or "traffic_accident",))


def _band(collision: collisions.Collision) -> range:
    """Its hours of the week by the wall clock; the whole day where the hour is not known."""
    first, last = collisions.HOUR_BANDS.get(collision.hour_band or "", (0, 24))
    day = 24 * collisions.WEEKDAYS.index(collision.weekday)
    return range(day + first, day + last)


def real_positions(source: Source) -> tuple[Floats, Floats] | None:
    """Where calls came before, to spread medics by; None where the source has no such places."""
    if isinstance(source, Replay):
        return source.lat, source.lon
    if isinstance(source, Field) and isinstance(source.sites, Spots):
        return source.sites.lat, source.sites.lon
    return None
