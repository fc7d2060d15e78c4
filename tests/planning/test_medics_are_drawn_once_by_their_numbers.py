"""Homes, works, modes, hours and skills: from the grid, from a list, or where calls were."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dispatch.core.commands import Search
from dispatch.roster.roster import Roster
from geo.distance import distance_m
from simulations.planning import population
from simulations.planning.cell_points import cells_at
from simulations.planning.records import hours_of
from simulations.planning.scenario import read
from tests.planning.scenarios import AREA, RATE, TEN_LINES, cells_around, scenario

MANY = "[medics]\ncount = 20000\n"
MONDAY = 1_767_571_200_000
"""2026-01-05 00:00 UTC."""


def test_homes_and_works_have_the_grids_weights(tmp_path: Path) -> None:
    one, two, three = cells_around(53.35, -6.25, resolution=9, rings=1)[:3]
    grid = f"h3,population,workers\n{one},100,0\n{two},300,10\n{three},0,30\n"
    people = population.made(
        scenario(tmp_path, AREA + MANY + RATE + "[grid]\ncsv = 'grid.csv'\n", grid_csv=grid)
    )
    home = cells_at(people.lat, people.lon, 9)
    assert (home == int(one, 16)).mean() == pytest.approx(0.25, abs=0.02)
    assert not (home == int(three, 16)).any()
    works = ~np.isnan(people.work_lat)
    assert works.mean() == pytest.approx(0.5, abs=0.02)
    work = cells_at(people.work_lat[works], people.work_lon[works], 9)
    assert (work == int(three, 16)).mean() == pytest.approx(0.75, abs=0.02)


def test_more_medics_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    few, many = (
        population.made(scenario(tmp_path, AREA + f"[medics]\ncount = {n}\n" + RATE)) for n in (50, 90)
    )
    for name in ("lat", "work_lon", "mode", "schedule", "effect"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:50], equal_nan=name == "work_lon")


def test_a_list_of_medics_is_taken_as_it_is(tmp_path: Path) -> None:
    csv = "home_lat,home_lon,work_lat,work_lon,mode\n"
    csv += "53.31,-6.2,53.32,-6.21,car\n53.33,-6.22,,,foot\n53.34,-6.23,,,\n"
    people = population.made(scenario(tmp_path, f"{AREA}[medics]\ncsv = 'm.csv'\n{RATE}", m_csv=csv))
    assert people.lat.tolist() == [53.31, 53.33, 53.34]
    assert people.work_lon[0] == -6.21
    assert np.isnan(people.work_lon[1:]).all()
    assert people.mode[:2].tolist() == [2, 0]


def test_skills_of_a_list_are_told_not_to_be_read(tmp_path: Path) -> None:
    """The list that the service imports has them."""
    csv = "home_lat,home_lon,skills\n53.31,-6.2,nurse\n53.33,-6.22,\n53.34,-6.23,doctor\n"
    (note,) = scenario(tmp_path, f"{AREA}[medics]\ncsv = 'm.csv'\n{RATE}", m_csv=csv).notes
    assert note.endswith(
        "m.csv: the skills of 2 of 3 medics are not read: medics.skills says what share has each"
    )


def test_shares_of_modes_and_skills(tmp_path: Path) -> None:
    keys = "modes = { foot = 0.1, bicycle = 0.9 }\nskills = { nurse = 0.2, doctor = 0.05 }\n"
    people = population.made(scenario(tmp_path, AREA + MANY + keys + RATE))
    assert np.bincount(people.mode, minlength=3) / 20_000 == pytest.approx([0.1, 0.9, 0.0], abs=0.02)
    assert people.skills == ("nurse", "doctor")
    assert people.skilled.mean(axis=0) == pytest.approx([0.2, 0.05], abs=0.02)


def test_so_many_are_available_at_each_hour(tmp_path: Path) -> None:
    shares = [0.2] * 7 + [0.9] * 16 + [0.5]
    people = population.made(scenario(tmp_path, AREA + MANY + f"available = {shares}\n" + RATE))
    now = people.available[people.schedule].mean(axis=0)
    assert now == pytest.approx(shares * 7, abs=0.02)
    assert len(people.available) == 4


def test_the_service_finds_them_at_home_at_night_and_at_work_by_day(tmp_path: Path) -> None:
    found = with_one(tmp_path, f"available = {[1.0] * 22 + [0.0] * 2}\n")
    assert found(3, *HOME) == ["0"]
    assert found(10, *HOME) == []
    assert found(10, *WORK) == ["0"]
    assert found(5 * 24 + 10, *HOME) == ["0"]
    assert found(22, *HOME) == []


def test_who_is_never_at_work_or_never_at_home_is_not_there_always(tmp_path: Path) -> None:
    never, always = "work_days = []\n", "work_days = [1, 2, 3, 4, 5, 6, 7]\nwork_hours = [0, 24]\n"
    for keys, there, nowhere in ((never, HOME, WORK), (always, WORK, HOME)):
        found = with_one(tmp_path, keys)
        for hour in (3, 10, 5 * 24 + 10):
            assert (found(hour, *there), found(hour, *nowhere)) == (["0"], [])


HOME, WORK = (53.31, -6.30), (53.39, -6.20)


def with_one(folder: Path, keys: str) -> Callable[[int, float, float], list[str]]:
    """One medic with a home and a work: who is found at an hour of the week, near a place."""
    csv = "lat,lon,work_lat,work_lon,mode\n53.31,-6.30,53.39,-6.20,car\n"
    policy = "[policies]\none = 'one.toml'\n"
    text = f"{AREA}[medics]\ncsv = 'm.csv'\n{keys}{RATE}{policy}"
    one = "[cardiac_arrest]\nwanted = 1\n"
    people = population.made(scenario(folder, text, m_csv=csv, one_toml=one))
    roster = Roster(default_time_zone="UTC", sms_on=True)
    roster.put_many(people.roster())

    def found(hour: int, lat: float, lon: float) -> list[str]:
        search = Search(
            count=1, reach_s=60, exclude=(), again=(), new_max=1, skills_any=(), cleared_only=True,
            drill=False, priority=1, channels=("sms",), fix_stale_s=900,
        )  # fmt: skip
        at = MONDAY + hour * 3_600_000
        return [
            c.medic_id for c in roster.search(search, lat=lat, lon=lon, at=at, incident_id="i", firsts={})
        ]

    return found


def test_hours_of_the_week_are_told_as_a_medics_row_has_them() -> None:
    flags = np.zeros(168, dtype=np.bool_)
    flags[[8, 9, 24 + 8, 24 + 9, 6 * 24 + 23]] = True
    assert [(h.days, h.from_, h.to) for h in hours_of(flags)] == [
        ((1, 2), "08:00", "10:00"),
        ((7,), "23:00", "00:00"),
    ]


def test_the_shipped_examples_medics_live_near_its_calls() -> None:
    held = read("examples/dublin.toml")
    people = population.made(held)
    assert len(people) == 2000
    # Dublin Bay is a fifth of the box; nobody lives far out in it.
    assert not ((people.lon > -6.12) & (people.lat > 53.32) & (people.lat < 53.34)).any()


@pytest.mark.parametrize(("box", "call"), [("-1, 179, 1, 180", "0,180"), ("89, -180, 90, 180", "90,0")])
def test_beside_calls_at_the_180th_meridian_or_the_pole_they_live_on_the_globe(
    tmp_path: Path, box: str, call: str
) -> None:
    text = f"[region]\nbbox = [{box}]\n[medics]\ncount = 100\nplaces = 'incidents'\n"
    csv = f"lat,lon,time,kind\n{call},2025-07-01 12:00,choking\n"
    held = scenario(tmp_path, f"{text}[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n", calls_csv=csv)
    people = population.made(held)
    assert np.abs(people.lat).max() <= 90
    assert np.abs(people.lon).max() <= 180
    lat, lon = (float(degrees) for degrees in call.split(","))
    assert max(float(distance_m(lat, lon, *home)) for home in zip(people.lat, people.lon, strict=True)) <= 402


def test_ten_lines_spread_them_evenly(tmp_path: Path) -> None:
    people = population.made(scenario(tmp_path, TEN_LINES.replace("500", "20000")))
    assert np.histogram(people.lon, bins=4, range=(-6.35, -6.15))[0] / 20_000 == pytest.approx(
        [0.25] * 4, abs=0.02
    )
