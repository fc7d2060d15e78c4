"""Of a share or count that few events make, Student's t ends too low: then the interval is the gamma one."""

import numpy as np
import pytest
from scipy import stats

from simulations.planning import tally
from simulations.planning.comparison import compare, estimate, few_differ
from simulations.planning.intervals import Interval, interval, of_few
from simulations.planning.tally import Tally
from tests.planning.made_up import calls, outcomes

NEVER = float("inf")


def nobody_came(to: int, of: int = 20) -> Tally:
    """A replication in which no medic came to so many of the calls."""
    return tally.of(calls([600.0] * of), outcomes([NEVER] * to + [300.0] * (of - to)), years=1)


def bounds(found: Interval | None) -> tuple[float, float]:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def missed(events: float, replications: int, runs: int) -> tuple[float, float]:
    """Of intervals of Poisson counts: the share of Student's that miss, and of ours."""
    counts = np.random.default_rng(6).poisson(events / replications, (runs, replications)).tolist()
    students = [interval(one) for one in counts if any(one)]
    ours = [of_few(one, 1 / replications) for one in students]
    student, gamma = (
        sum(not low * replications <= events <= high * replications for low, high in map(bounds, several))
        for several in (students, ours)
    )
    return student / runs, gamma / runs


def test_five_events_in_thirty_replications_miss_no_oftener_than_said() -> None:
    student, gamma = missed(events=5, replications=30, runs=2_000)
    assert student > 0.10
    assert gamma < 0.05 + 3.3 * (0.05 * 0.95 / 2_000) ** 0.5


def test_events_by_themselves_have_the_exact_interval_of_poissons() -> None:
    """Garwood's (Biometrika 28 (1936) 437): of 3, 0.6187 to 8.7673."""
    many = 20_000
    low, high = bounds(of_few(interval([1.0] * 3 + [0.0] * (many - 3)), 1 / many))
    assert (many * low, many * high) == pytest.approx((0.6187, 8.7673), rel=1e-3)


def test_many_events_have_students_interval() -> None:
    often = interval(np.random.default_rng(7).poisson(4, 30).tolist())
    assert of_few(often, 1 / 30) == often


def test_events_that_come_together_are_less_sure() -> None:
    alone, together = ([1.0] * 4 + [0.0] * 26, [4.0] + [0.0] * 29)
    (_, high), (_, higher) = (bounds(of_few(interval(one), 1 / 30)) for one in (alone, together))
    assert higher > high


def test_a_rare_share_of_alarms_is_wider_above_and_never_below_0() -> None:
    rows = [(nobody_came(to),) for to in [1] * 2 + [0] * 28]
    low, high = bounds(estimate(rows, 0, "nobody_came"))
    exact = stats.chi2.ppf(0.025, 4) / 2 / 600, stats.chi2.ppf(0.975, 6) / 2 / 600
    assert 0 < low < exact[0]  # how much replications vary is not known for certain
    assert exact[1] < high < 1.1 * exact[1]
    assert bounds(interval([row[0].values["nobody_came"] for row in rows]))[1] < 0.8 * high


def test_a_share_that_is_nearly_all_is_so_from_the_other_side() -> None:
    rows = [(nobody_came(to),) for to in [1] * 2 + [0] * 28]
    low, high = bounds(estimate(rows, 0, "nobody_came"))
    mirrored = bounds(estimate(rows, 0, "medic_first"))
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_a_difference_that_few_alarms_make_is_known_for_one() -> None:
    few = [(nobody_came(0), nobody_came(to)) for to in [1] * 5 + [0] * 25]
    several = [(nobody_came(0), nobody_came(to)) for to in [2] * 15 + [0] * 15]

    def rare(rows: list[tuple[Tally, Tally]]) -> set[str]:
        return {one.measure for one in compare(rows) if few_differ(rows, one)}

    assert rare(few) == {
        "nobody_came",
        "medic_first",
        "medic_6_min",
        "medic_8_min",
        "reached_6_min",
        "reached_8_min",
        "seconds_gained",
        "survival_waalewijn",
        "survival_larsen",
        "survival_valenzuela",
    }
    assert not rare(several)
