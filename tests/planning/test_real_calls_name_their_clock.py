"""A CSV of real calls: on its clock, in its order, row for row."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from simulations.planning import calls
from simulations.planning.draws import Draws
from simulations.planning.scenario import ScenarioError
from tests.planning.scenarios import AREA, MEDICS, scenario

CSV = """lat,lon,time,title
53.35,-6.25,2025-07-01 12:00,cardiac arrest
53.36,-6.26,2025-01-01 12:00,EMS: FALL VICTIM
53.37,-6.27,2025-07-01T12:30Z,Traffic: DISABLED VEHICLE
53.38,-6.28,2025-07-01T12:30Z,choking
"""
KEYS = f"{AREA}{MEDICS}[incidents]\ncsv = 'calls.csv'\n"


def utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def test_times_are_on_the_named_clock_and_summer_time_counts(tmp_path: Path) -> None:
    held = scenario(tmp_path, KEYS + "clock = 'Europe/Dublin'\n", calls_csv=CSV)
    made = calls.made(held, 0)
    reported = made.rows(made.recognised)
    assert reported.answered_at.tolist() == [
        utc_ms("2025-01-01T12:00"), utc_ms("2025-07-01T11:00"), utc_ms("2025-07-01T12:30")
    ]  # fmt: skip
    assert [made.kinds[kind] for kind in reported.kind] == ["trauma", "cardiac_arrest", "choking"]
    utc = calls.made(scenario(tmp_path, KEYS + "clock = 'UTC'\n", calls_csv=CSV), 0)
    assert utc.rows(utc.recognised).answered_at[1] == utc_ms("2025-07-01T12:00")


def test_calls_that_need_no_medic_are_left_out_and_counted(tmp_path: Path) -> None:
    held = scenario(tmp_path, KEYS + "clock = 'UTC'\n", calls_csv=CSV)
    assert [note.rpartition("/")[2] for note in held.notes] == ["calls.csv: 1 of 4 calls need no medic"]


def test_days_without_a_time_are_told(tmp_path: Path) -> None:
    some = "lat,lon,time,kind\n53.35,-6.25,2025-07-01,choking\n53.35,-6.25,2025-07-01 00:00,choking\n"
    held = scenario(
        tmp_path, "time_zone = 'Europe/Dublin'\n" + KEYS + "clock = 'Europe/Dublin'\n", calls_csv=some
    )
    assert held.source.alarms(Draws(1, 0)).answered_at.tolist() == [utc_ms("2025-06-30T23:00")] * 2
    (note,) = held.notes
    assert note.endswith("calls.csv: of 1 of 2 calls only the day is known: taken for its midnight")


def test_hours_by_utc_of_calls_on_another_clock_are_told(tmp_path: Path) -> None:
    """Night and work would be an hour away from where they are, and nothing would look wrong."""
    winter = "lat,lon,time,kind\n53.35,-6.25,2025-01-01 12:00,choking\n"
    for clock, told in (("Europe/Dublin", 0), ("Europe/Paris", 1)):
        held = scenario(tmp_path, KEYS + f"clock = '{clock}'\n", calls_csv=winter)
        assert len(held.notes) == told
    assert held.notes[0].endswith("by time_zone, UTC: is that meant?")


@pytest.mark.parametrize("time", ["45746.0625", "2025", "14", "-1e9"])
def test_a_spreadsheets_day_is_no_moment_of_1970(tmp_path: Path, time: str) -> None:
    rows = f"lat,lon,time,kind\n53.35,-6.25,{time},choking\n"
    with pytest.raises(ScenarioError, match="line 2: time is neither ISO 8601 nor Unix seconds: "):
        scenario(tmp_path, KEYS + "clock = 'UTC'\n", calls_csv=rows)


def test_hours_of_the_week_are_the_scenarios(tmp_path: Path) -> None:
    text = "time_zone = 'America/New_York'\n" + KEYS + "clock = 'UTC'\n"
    made = calls.made(scenario(tmp_path, text, calls_csv=CSV), 0)
    assert made.hour[made.recognised].tolist() == [
        2 * 24 + 7,
        24 + 8,
        24 + 8,
    ]  # a Wednesday, two on a Tuesday


def test_every_replication_has_the_same_calls_and_another_ambulance(tmp_path: Path) -> None:
    held = scenario(tmp_path, KEYS + "clock = 'UTC'\n", calls_csv=CSV)
    one, other = (calls.made(held, number) for number in (0, 1))
    one, other = one.rows(one.recognised), other.rows(other.recognised)
    assert np.array_equal(one.answered_at, other.answered_at)
    assert not np.array_equal(one.ambulance_kerb_at, other.ambulance_kerb_at)


def test_missed_arrests_come_where_and_when_arrests_were_reported(tmp_path: Path) -> None:
    rows = "".join(f"53.35,-6.25,2025-07-01 12:{n:02},cardiac arrest\n" for n in range(60))
    text = KEYS + "clock = 'UTC'\n[arrests]\nrecognised_share = 0.2\ntrue_share = 0.5\n"
    made = calls.made(scenario(tmp_path, text, calls_csv="lat,lon,time,title\n" + rows), 0)
    missed = made.rows(~made.recognised)
    assert len(missed) == 60 * 2  # 0.5 * 0.8 / 0.2 for each alarm
    assert len(set(made.number.tolist())) == len(made)
    assert missed.true_arrest.all()


def test_resampled_calls_keep_their_places_and_hours(tmp_path: Path) -> None:
    rows = "".join(f"53.3{n % 10},-6.2,2025-0{1 + n % 9}-10 1{n % 3}:30,choking\n" for n in range(200))
    text = KEYS + "clock = 'UTC'\nresample = true\n"
    held = scenario(tmp_path, "weeks = 40\n" + text, calls_csv="lat,lon,time,title\n" + rows)
    one, other = calls.made(held, 0), calls.made(held, 1)
    assert len(one) != len(other)
    assert set(one.lat.tolist()) <= {53.3 + n / 100 for n in range(10)} | {
        float(f"53.3{n}") for n in range(10)
    }
    assert set((one.hour % 24).tolist()) <= {10, 11, 12}


def test_all_calls_are_taken_as_one_kind_whatever_their_source(tmp_path: Path) -> None:
    text = f"weeks = 4\n{AREA}{MEDICS}[incidents]\nper_year = 800\ntaken_as = 'choking'\n"
    made = calls.made(scenario(tmp_path, text), 0)
    assert made.kinds == ("choking",)
    assert len(made) > 20
    assert not made.kind.any()


def test_without_a_kind_the_file_needs_one_named(tmp_path: Path) -> None:
    csv = "lat,lon,time\n53.35,-6.25,2025-07-01 12:00\n"
    with pytest.raises(ScenarioError, match="has no column title or kind"):
        scenario(tmp_path, KEYS + "clock = 'UTC'\n", calls_csv=csv)
    held = scenario(tmp_path, KEYS + "clock = 'UTC'\ntaken_as = 'cardiac_arrest'\n", calls_csv=csv)
    assert held.kinds == ("cardiac_arrest",)
