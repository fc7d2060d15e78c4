"""The outer bootstrap: replications with the samples in the files drawn anew widen the intervals."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulations.planning import calls, runs, tally
from simulations.planning.bootstrap import WEEK_MS, redrawn
from simulations.planning.comparison import compare, with_inputs
from simulations.planning.measures import MAIN
from simulations.planning.results import document
from simulations.planning.scenario import Scenario, ScenarioError
from simulations.planning.tally import Tally
from tests.planning import made_up
from tests.planning.scenarios import AREA, MEDICS, RATE, scenario

CALLS = "lat,lon,time,kind\n" + "".join(
    f"53.3{10 + n},-6.25,2025-0{1 + n // 14}-{1 + n % 14:02} {n % 24:02}:00,cardiac arrest\n"
    for n in range(42)
)
INCIDENTS = "[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n"
DRIVES = "to_kerb_s\n" + "".join(f"{100 + n}\n" for n in range(50))


def with_files(folder: Path, before: str = "", after: str = "") -> Scenario:
    text = before + AREA + MEDICS + INCIDENTS + after + "[ambulance]\ncsv = 'drives.csv'\n"
    return scenario(folder, text, calls_csv=CALLS, drives_csv=DRIVES)


def alarms(held: Scenario) -> calls.Calls:
    made = calls.made(held, 0)
    return made.rows(made.recognised)


def test_calls_of_a_file_are_drawn_with_replacement_at_their_hours(tmp_path: Path):
    held = with_files(tmp_path)
    plain, drawn, again, other = (
        alarms(one) for one in (held, redrawn(held, 1), redrawn(held, 1), redrawn(held, 2))
    )
    assert len(drawn) == len(plain)
    assert drawn.answered_at.tolist() == sorted(drawn.answered_at.tolist()) == again.answered_at.tolist()
    assert drawn.lat.tolist() != other.lat.tolist()

    def hours(one: calls.Calls) -> set[tuple[int, float, float]]:
        return set(zip((one.answered_at % WEEK_MS).tolist(), one.lat.tolist(), one.lon.tolist(), strict=True))

    assert hours(drawn) < hours(plain)
    first, last = plain.answered_at[0], plain.answered_at[-1]
    assert ((first <= drawn.answered_at) & (drawn.answered_at <= last)).all()
    assert {redrawn(held, nth).years for nth in range(5)} == {held.years}


def test_calls_keep_their_hour_of_the_week_over_summer_time(tmp_path: Path):
    """One call a week over a year, Tuesdays at 9:30 on the wall."""
    days = (date(2025, 1, 7) + timedelta(weeks=n) for n in range(52))
    text = 'time_zone = "Europe/Dublin"\n' + AREA + MEDICS + INCIDENTS.replace("UTC", "Europe/Dublin")
    rows = "".join(f"53.35,-6.25,{day:%Y-%m-%d} 09:30,cardiac arrest\n" for day in days)
    drawn = alarms(redrawn(scenario(tmp_path, text, calls_csv="lat,lon,time,kind\n" + rows), 1))
    zone = ZoneInfo("Europe/Dublin")
    shown = [datetime.fromtimestamp(at / 1000, zone) for at in drawn.answered_at.tolist()]
    assert {(one.isoweekday(), one.hour, one.minute) for one in shown} == {(2, 9, 30)}
    assert len({one.utcoffset() for one in shown}) == 2


def test_calls_of_a_week_and_a_half_are_not_all_put_into_one_week(tmp_path: Path):
    rows = "".join(f"53.35,-6.25,2025-01-{6 + day:02} 09:30,cardiac arrest\n" for day in range(11))
    text = AREA + MEDICS + INCIDENTS
    drawn = alarms(redrawn(scenario(tmp_path, text, calls_csv="lat,lon,time,kind\n" + rows), 1))
    days = drawn.answered_at // (24 * 3_600_000)
    assert days.max() - days.min() > 7


def test_spots_of_a_resampled_file_keep_their_number(tmp_path: Path):
    held = with_files(tmp_path, before="weeks = 500\n", after="resample = true\n")
    drawn = redrawn(held, 1)
    assert drawn.source.expected == pytest.approx(held.source.expected)
    places, all_places = (
        set(zip(a.lat.tolist(), a.lon.tolist(), strict=True)) for a in map(alarms, (drawn, held))
    )
    assert places < all_places


def test_drives_and_listed_medics_are_drawn_too(tmp_path: Path):
    held = with_files(tmp_path)
    assert held.ambulance_sample_s is not None
    drawn = redrawn(held, 1)
    assert drawn.ambulance_sample_s is not None
    assert len(drawn.ambulance_sample_s) == 50
    assert set(drawn.ambulance_sample_s) < set(held.ambulance_sample_s)
    medics = "lat,lon\n" + "".join(f"53.3{n},-6.2\n" for n in range(10, 60))
    listed = scenario(tmp_path, AREA + "[medics]\ncsv = 'medics.csv'\n" + RATE, medics_csv=medics)
    drawn = redrawn(listed, 1)
    assert len(drawn.listed) == 50
    assert set(drawn.listed) < set(listed.listed)


def test_without_a_sample_there_is_nothing_to_draw_anew(tmp_path: Path):
    with pytest.raises(ScenarioError, match="bootstrap: there is no sample to draw anew"):
        scenario(tmp_path, "bootstrap = 100\n" + AREA + MEDICS + RATE)


def rows(differences: list[float]) -> list[tuple[Tally, Tally]]:
    empty = tally.of(made_up.calls([]), made_up.outcomes([]), years=1)
    plain = replace(empty, values={MAIN: 100.0})
    return [(plain, replace(empty, values={MAIN: 100.0 + one})) for one in differences]


def test_the_samples_share_of_the_variance_does_not_shrink_with_more_replications():
    """Chance has a variance of 1, the sample of 9."""
    chance = np.random.default_rng(1)
    plain = rows(chance.normal(5, 1, 10_000).tolist())
    drawn = rows(chance.normal(5, np.sqrt(1 + 9), 2_000).tolist())
    (one,) = compare(plain)
    assert one.difference.half_width == pytest.approx(0.02, rel=0.1)
    wide = with_inputs(one, drawn)
    assert wide.mean == one.difference.mean
    assert wide.half_width == pytest.approx(1.96 * 3, rel=0.05)


def test_where_the_sample_adds_nothing_chance_is_left():
    plain, drawn = rows([4.0, 5.0, 6.0] * 20), rows([4.9, 5.0, 5.1] * 20)
    (one,) = compare(plain)
    assert with_inputs(one, drawn).half_width == pytest.approx(one.difference.half_width, rel=0.01)
    assert with_inputs(one, []) is None


def test_the_document_has_both_intervals_and_does_not_depend_on_the_spreading(tmp_path: Path):
    text = "replications = 2\nbootstrap = 2\n"
    after = "[policies]\nshipped = 'shipped'\nfewer = 'fewer.toml'\n"
    (tmp_path / "fewer.toml").write_text("[cardiac_arrest]\nwanted = 1\n", "utf-8")
    held = replace(with_files(tmp_path, before=text, after=after), medic_count=60)
    heard: list[int] = []
    found = runs.run(held, heard.append)
    assert heard == [1, 2, 3, 4]
    assert document(held, found) == document(held, runs.run(held, jobs=2))
    told = json.loads(document(held, found))
    assert told["replications"] == {"asked": 2, "done": 2, "ended": "all", "redrawn": 2}
    alerts = next(one for one in told["differences"] if one["measure"] == "alerts")
    assert alerts["with_inputs"]["high"] >= alerts["high"]
