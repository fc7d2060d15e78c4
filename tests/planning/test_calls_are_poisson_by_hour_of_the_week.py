"""Counts, gaps and places of many replications, against what the scenario says."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulations.planning import calls, population
from simulations.planning.cell_points import cells_at
from simulations.planning.records import WEEK_HOURS
from simulations.planning.scenario import Scenario
from tests.planning.scenarios import AREA, MEDICS, cells_around, scenario

SURE = 1e-6
"""The seeds are fixed: a test that passes keeps passing. What is looked for would be far beyond this."""


def alarms(held: Scenario, replications: int) -> list[np.ndarray]:
    made = [calls.made(held, number) for number in range(replications)]
    return [one.hour[one.recognised] for one in made]


def test_a_hundred_replications_have_the_mean_and_variance_of_a_poisson_number(tmp_path: Path) -> None:
    held = scenario(tmp_path, "weeks = 4\n" + AREA + MEDICS + "[incidents]\nper_year = 1000\n")
    counts = np.array([len(one) for one in alarms(held, 300)])
    mean = held.source.expected
    assert abs(counts.mean() - mean) < 5 * (mean / len(counts)) ** 0.5
    dispersion = counts.var(ddof=1) / mean * (len(counts) - 1)
    assert SURE < stats.chi2(len(counts) - 1).cdf(dispersion) < 1 - SURE


def test_hours_have_their_weights_by_the_wall_clock(tmp_path: Path) -> None:
    weights = np.array([1.0, 0.0, 3.0] + [0.5] * 21)
    text = f"weeks = 52\ntime_zone = 'Europe/Dublin'\n{AREA}{MEDICS}[incidents]\nper_year = 20000\nby_hour = "
    held = scenario(tmp_path, text + str(weights.tolist()))
    counts = np.bincount(np.concatenate(alarms(held, 1)), minlength=WEEK_HOURS).reshape(7, 24)
    assert counts[:, 1].sum() == 0
    drawn, expected = counts.sum(axis=0), weights / weights.sum() * counts.sum()
    some = expected > 0
    assert stats.chisquare(drawn[some], expected[some]).pvalue > SURE


def test_gaps_between_calls_at_an_even_rate_are_exponential(tmp_path: Path) -> None:
    text = AREA + MEDICS + f"[incidents]\nper_year = 5000\nby_hour = {[1] * 24}\n"
    made = calls.made(scenario(tmp_path, text), 0)
    gaps_s = np.diff(made.answered_at[made.recognised]) / 1000
    assert stats.kstest(gaps_s, stats.expon(scale=8766 * 3600 / 5000).cdf).pvalue > SURE


def test_numbers_of_two_hours_are_independent(tmp_path: Path) -> None:
    text = f"weeks = 1\n{AREA}{MEDICS}[incidents]\nper_year = 10000\nby_hour = {[1] * 24}\n"
    counts = np.array(
        [np.bincount(one, minlength=WEEK_HOURS)[:2] for one in alarms(scenario(tmp_path, text), 800)]
    )
    assert abs(np.corrcoef(counts.T)[0, 1]) < 5 / 800**0.5


def test_cells_have_the_calls_of_their_people_at_that_hour(tmp_path: Path) -> None:
    """Homes in one cell, works in another: who works there calls from there."""
    home, work = cells_around(53.35, -6.25, resolution=8, rings=1)[:2]
    grid = f"h3,population,workers\n{home},100,0\n{work},0,7\n"
    text = (
        f"{AREA}[medics]\ncount = 500\nworks = 0.4\n[grid]\ncsv = 'grid.csv'\n[incidents]\nper_year = 20000\n"
    )
    made = calls.made(scenario(tmp_path, text, grid_csv=grid), 0)
    working = (made.hour < 120) & (made.hour % 24 >= 9) & (made.hour % 24 < 17)
    at_work = made.cell == int(work, 16)
    assert set(made.cell.tolist()) == {int(home, 16), int(work, 16)}
    assert not at_work[~working].any()
    assert at_work[working].mean() == pytest.approx(0.4, abs=0.03)


def test_the_least_weights_that_there_are_count_as_weights(tmp_path: Path) -> None:
    cells = cells_around(53.35, -6.25, resolution=8, rings=1)
    grid = "h3,population\n" + "".join(f"{cell},5e-324\n" for cell in cells)
    text = f"{AREA}{MEDICS}[grid]\ncsv = 'grid.csv'\n[incidents]\nper_year = 2000\nby_hour = "
    held = scenario(tmp_path, text + str([5e-324] + [0.0] * 23), grid_csv=grid)
    made = calls.made(held, 0)
    assert set((made.hour % 24).tolist()) == {0}
    assert len(set(made.cell.tolist())) == len(cells)
    homes = population.made(held)
    assert len(set(cells_at(homes.lat, homes.lon, 8).tolist())) == len(cells)


def test_rates_by_cell_and_hour_are_taken_as_they_are(tmp_path: Path) -> None:
    one, other = cells_around(53.35, -6.25, resolution=8, rings=1)[:2]
    rates = f"h3,hour,per_year\n{one},5,2000\n{other},100,6000\n"
    text = f"{AREA}{MEDICS}[incidents]\nrates = 'rates.csv'\n"
    held = scenario(tmp_path, text, rates_csv=rates)
    made = calls.made(held, 0)
    reported = made.rows(made.recognised)
    assert set(zip(reported.cell.tolist(), reported.hour.tolist(), strict=True)) == {
        (int(one, 16), 5),
        (int(other, 16), 100),
    }
    assert abs((reported.hour == 5).sum() - 2000 * held.years) < 5 * 2000**0.5


def test_kinds_have_their_shares_and_only_arrests_are_arrests(tmp_path: Path) -> None:
    kinds = "kinds = { trauma = 0.75, cardiac_arrest = 0.25 }\n"
    made = calls.made(scenario(tmp_path, AREA + MEDICS + "[incidents]\nper_year = 20000\n" + kinds), 0)
    arrest = made.kind == made.kinds.index("cardiac_arrest")
    assert arrest[made.recognised].mean() == pytest.approx(0.25, abs=0.02)
    assert not made.true_arrest[~arrest].any()


def test_alarms_are_not_arrests_and_not_all_arrests_are_alarms(tmp_path: Path) -> None:
    made = calls.made(scenario(tmp_path, AREA + MEDICS + "[incidents]\nper_year = 40000\n"), 0)
    assert made.true_arrest[made.recognised].mean() == pytest.approx(0.535, abs=0.015)
    assert made.recognised[made.true_arrest].mean() == pytest.approx(0.74, abs=0.015)
    assert made.true_arrest[~made.recognised].all()
    assert made.bystander.mean() == pytest.approx(0.62, abs=0.015)
