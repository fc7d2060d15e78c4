"""The scenario's medics: where they live and work, how they travel, when they may be asked.

They are drawn once, by the seed and their numbers: every replication and every policy has the same.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations.calls import degrees
from simulations.planning.calls import normals
from simulations.planning.draws import Draws, Purpose
from simulations.planning.errors import ScenarioError
from simulations.planning.grid import Grid
from simulations.planning.hours import weekly
from simulations.planning.records import MODES, WEEK_HOURS, Flags, Floats, Longs, Population
from simulations.planning.region import Region, Uniforms, exchanged
from simulations.planning.sections import MedicsKeys
from simulations.planning.sources import real_positions
from simulations.planning.table import BadRows, Row, read_rows
from simulations.population import jittered

if TYPE_CHECKING:
    from simulations.planning.scenario import Scenario

COLUMNS = {
    "lat": ("lat", "home_lat", "latitude"),
    "lon": ("lon", "home_lon", "lng", "longitude"),
    "work_lat": ("work_lat",),
    "work_lon": ("work_lon",),
    "mode": ("mode",),
    "skills": ("skills",),
}


class Listed(NamedTuple):
    """A medic of a CSV; ``mode`` None: drawn, ``work`` None: she has none."""

    home: tuple[float, float]
    work: tuple[float, float] | None
    mode: int | None


def read_medics(path: Path, region: Region, bad: BadRows) -> tuple[Listed, ...]:
    """Raises `ScenarioError`. They may live outside the region, and help in it."""

    def medic(row: Row) -> tuple[Listed, bool]:
        return _listed(row), bool(row["skills"])

    rows = read_rows(path, COLUMNS, ("lat", "lon"), medic, bad, copies_are="a medic of her own")
    listed = tuple(one for one, _ in rows)
    if skilled := sum(has for _, has in rows):  # as in the file that `dispatch medics import` takes
        why = "medics.skills says what share has each"
        bad.notes.append(f"{path}: the skills of {skilled} of {len(rows)} medics are not read: {why}")
    lat, lon = np.array([one.home for one in listed]).T
    if not region.holds(lat, lon).any() and (why := exchanged(region, lat, lon)):
        raise ScenarioError(str(path), "", f"has no home in the region{why}")
    return listed


def _listed(row: Row) -> Listed:
    home = degrees(row["lat"], "lat", 90), degrees(row["lon"], "lon", 180)
    work = None
    if row["work_lat"] or row["work_lon"]:
        work = degrees(row["work_lat"], "work_lat", 90), degrees(row["work_lon"], "work_lon", 180)
    if row["mode"] and row["mode"] not in MODES:
        raise ValueError(f"mode is none of {', '.join(MODES)}: {row['mode'][:40]!r}")
    return Listed(home, work, MODES.index(row["mode"]) if row["mode"] else None)


def at_work(keys: MedicsKeys) -> Flags:
    """By hour of the week."""
    hours = np.zeros(WEEK_HOURS, dtype=np.bool_)
    first, last = keys.work_hours
    for day in keys.work_days:
        hours[24 * (day - 1) + first : 24 * (day - 1) + last] = True
    return hours


def count_of(keys: MedicsKeys, area_km2: float, file: str) -> int:
    """How many; of a CSV it is known only once it is read."""
    if keys.per_km2 is None:
        return int(keys.count or 0)
    count = round(keys.per_km2 * area_km2)
    if count < 1:
        raise ScenarioError(file, "medics.per_km2", f"no medics: {area_km2:.3g} km2 would have {count}")
    return count


def made(scenario: "Scenario") -> Population:
    """All of the scenario's medics."""
    keys, draws = scenario.medics, Draws(scenario.seed, 0)
    numbers = np.arange(scenario.medic_count)
    home, work = _listed_places(scenario) if scenario.listed else _drawn_places(scenario, draws, numbers)
    available, schedule = _schedules(keys, draws, numbers)
    skills = tuple(skill for skill, share in keys.skills.items() if share > 0)
    shares = np.array([keys.skills[skill] for skill in skills])
    chances = draws.many(Purpose.SKILL, 0, numbers[:, None], np.arange(len(skills)))
    return Population(
        lat=home[0],
        lon=home[1],
        work_lat=work[0],
        work_lon=work[1],
        mode=_modes(scenario, draws, numbers),
        available=available,
        schedule=schedule,
        at_work=at_work(keys),
        effect=normals(draws, Purpose.MEDIC_EFFECT, numbers),
        skills=skills,
        skilled=chances < shares,
        time_zone=scenario.zone.key,
    )


Places = tuple[Floats, Floats]


def _listed_places(scenario: "Scenario") -> tuple[Places, Places]:
    nowhere = (np.nan, np.nan)
    homes = np.array([one.home for one in scenario.listed]).T
    works = np.array([one.work or nowhere for one in scenario.listed]).T
    return (homes[0], homes[1]), (works[0], works[1])


def _drawn_places(scenario: "Scenario", draws: Draws, numbers: Longs) -> tuple[Places, Places]:
    home = _places(scenario, draws, Purpose.HOME, numbers)
    work = _places(scenario, draws, Purpose.WORK, numbers)
    none = draws.many(Purpose.WORK, 1, numbers) >= scenario.medics.works
    work[0][none] = work[1][none] = np.nan
    return home, work


def _places(scenario: "Scenario", draws: Draws, purpose: Purpose, numbers: Longs) -> Places:
    def uniforms(rows: NDArray[np.int64], nth: int) -> Floats:
        return draws.many(purpose, 0, numbers[rows], nth)

    spread = scenario.medics.places or ("evenly" if scenario.grid is None else "grid")
    if spread == "grid" and scenario.grid is not None:
        return _in_grid(scenario.grid, purpose, numbers, uniforms)
    spots = real_positions(scenario.source) if spread == "incidents" else None
    if spots is None:
        return scenario.region.points(len(numbers), uniforms)
    chosen = (uniforms(numbers, 0) * len(spots[0])).astype(np.int64)
    return jittered(spots[0][chosen], spots[1][chosen], uniforms(numbers, 1), uniforms(numbers, 2))


def _in_grid(grid: Grid, purpose: Purpose, numbers: Longs, uniforms: Uniforms) -> Places:
    up_to = np.cumsum(grid.works if purpose is Purpose.WORK else grid.homes)
    rows = np.searchsorted(up_to, uniforms(numbers, 0) * up_to[-1], side="right")
    return grid.shapes.draw(rows, *(uniforms(numbers, nth) for nth in (1, 2, 3)))


def _modes(scenario: "Scenario", draws: Draws, numbers: Longs) -> NDArray[np.int8]:
    shares = np.array([scenario.medics.modes.get(mode, 0.0) for mode in MODES])
    drawn = np.searchsorted(np.cumsum(shares)[:-1], draws.many(Purpose.MODE, 0, numbers), side="right")
    if scenario.listed:
        said = np.array([-1 if one.mode is None else one.mode for one in scenario.listed])
        drawn = np.where(said < 0, drawn, said)
    return drawn.astype(np.int8)


def _schedules(keys: MedicsKeys, draws: Draws, numbers: Longs) -> tuple[Flags, NDArray[np.int16]]:
    """Each medic's hours: those at which the available share is above her own number.

    So there are no more schedules than different shares, and who may be asked at a quiet hour may be at a
    busier one too.
    """
    share = weekly(keys.available)
    steps = np.unique(share)
    schedule = np.searchsorted(steps, draws.many(Purpose.AVAILABLE, 0, numbers), side="right")
    available = share[None, :] >= np.append(steps, np.inf)[:, None]
    return available, schedule.astype(np.int16)
