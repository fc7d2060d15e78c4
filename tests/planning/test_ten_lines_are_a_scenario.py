"""Where, how many medics, how many calls: all else has a default."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from dispatch.core.policy import shipped
from simulations.planning import calls, population
from simulations.planning.scenario import read
from tests.planning.scenarios import AREA, TEN_LINES, scenario, written


def test_a_short_file_is_whole(tmp_path: Path) -> None:
    assert len(TEN_LINES.strip().splitlines()) <= 10
    held = scenario(tmp_path, TEN_LINES)
    assert (held.seed, held.replications, held.kinds, held.medic_count) == (1, 30, ("cardiac_arrest",), 500)
    assert held.policies == {"shipped": shipped()}
    assert held.years == pytest.approx(52 * 7 / 365.25)
    assert held.source.expected == pytest.approx(800 * held.years)
    assert (held.arrests.true_share, held.arrests.recognised_share, held.arrests.bystander_cpr) == (
        0.535,
        0.74,
        0.62,
    )
    assert (held.behaviour.seen, held.behaviour.accepts_if_seen, held.behaviour.arrives_if_accepted) == (
        0.756,
        0.50,
        0.72,
    )
    assert held.grid is None


def test_its_calls_and_medics_lie_in_the_region(tmp_path: Path) -> None:
    held = scenario(tmp_path, TEN_LINES)
    made, people = calls.made(held, 0), population.made(held)
    assert held.region.holds(made.lat, made.lon).all()
    assert held.region.holds(people.lat, people.lon).all()
    assert made.answered_at[0] >= datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000
    assert made.answered_at[-1] < datetime(2027, 1, 4, tzinfo=UTC).timestamp() * 1000
    assert len(list(people.roster())) == 500


def test_density_is_by_area(tmp_path: Path) -> None:
    # 0.1 by 0.2 degrees at 53.35 N: 11.12 km by 13.28 km
    assert (
        scenario(tmp_path, AREA + "[medics]\nper_km2 = 10\n[incidents]\nper_year = 9\n").medic_count == 1476
    )


def test_the_command_lines_words_come_before_the_files(tmp_path: Path) -> None:
    path = written(tmp_path, TEN_LINES, wide_toml="[cardiac_arrest]\nalerts_max = 50\n")
    held = read(path, policies=[tmp_path / "wide.toml", tmp_path / "wide.toml"], replications=4, seed=9)
    assert (held.seed, held.replications) == (9, 4)
    assert list(held.policies) == ["shipped", "wide", "wide-2"]
    assert held.policies["wide"]["cardiac_arrest"].alerts_max == 50


def test_the_digest_knows_what_was_read(tmp_path: Path) -> None:
    first = scenario(tmp_path, TEN_LINES).digest
    assert scenario(tmp_path, TEN_LINES + "\n# a comment\n").digest == first
    assert scenario(tmp_path, TEN_LINES + "flats = 0.4\n").digest != first
    text = TEN_LINES + "[ambulance]\ncsv = 'drives.csv'\n"
    one = scenario(tmp_path, text, drives_csv="to_kerb_s\n300\n").digest
    assert scenario(tmp_path, text, drives_csv="to_kerb_s\n301\n").digest != one


def test_the_clock_of_a_call_runs_in_its_order(tmp_path: Path) -> None:
    made = calls.made(scenario(tmp_path, TEN_LINES), 0)
    assert (made.collapse_at < made.answered_at).all()
    assert (made.answered_at < made.recognised_at).all()
    assert (made.recognised_at <= made.alert_at).all()
    assert (made.answered_at < made.ambulance_dispatched_at).all()
    assert (made.ambulance_dispatched_at < made.ambulance_kerb_at).all()
    assert (made.ambulance_kerb_at < made.ambulance_patient_at).all()
    assert (made.ambulance_forecast_at != made.ambulance_kerb_at).mean() > 0.99
    assert np.median(made.kerb_to_patient_s[made.flat]) > 1.5 * np.median(made.kerb_to_patient_s[~made.flat])


def test_no_alert_goes_out_before_the_arrest_is_recognised(tmp_path: Path) -> None:
    made = calls.made(scenario(tmp_path, TEN_LINES + "[times]\nanswered_to_recognised_s = 200\n"), 0)
    assert (made.alert_at >= made.recognised_at).all()
    assert 0.1 < (made.alert_at == made.recognised_at).mean() < 0.9


def test_the_shipped_example_is_found_where_no_such_file_is() -> None:
    held = read("examples/dublin.toml")
    assert held.source.expected == pytest.approx(16_915 / 12 * 7 / 365.25)
    assert len(held.policies) == 2
    made = calls.made(held, 0)
    assert held.region.holds(made.lat, made.lon).all()
