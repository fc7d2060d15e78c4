"""Differences are taken within a replication, their intervals over replications."""

import math

import numpy as np
import pytest
from scipy import stats

from simulations.planning import tally
from simulations.planning.comparison import Stopping, compare, compared, estimate
from simulations.planning.intervals import interval
from simulations.planning.measures import MAIN
from simulations.planning.tally import Tally
from tests.planning.made_up import calls, outcomes

NEVER = float("inf")
_EMPTY = tally.of(calls([]), outcomes([]), years=1)


def with_values(**values: float) -> Tally:
    groups = (_EMPTY.by_hour, _EMPTY.by_kind, _EMPTY.by_cell)
    return Tally(values, *groups, _EMPTY.first_medic, _EMPTY.ambulance, _EMPTY.gained)


def rows(*columns, measure: str = MAIN) -> list[tuple[Tally, ...]]:
    """A column a policy, a number a replication."""
    return [
        tuple(with_values(**{measure: float(value)}) for value in row) for row in zip(*columns, strict=True)
    ]


def test_an_interval_is_students():
    sample = [3.1, 4.7, 5.0, 2.2, 6.1]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(sample), scale=stats.sem(sample))
    found = interval(sample)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_single_replication_and_an_infinite_mean_have_no_interval():
    assert interval([3.0]).low is None
    assert interval([3.0, NEVER]).mean == NEVER
    assert interval([3.0, NEVER]).high is None


def test_what_both_policies_share_does_not_widen_the_difference():
    chance = np.random.default_rng(1)
    shared, own = chance.normal(100, 20, 30), chance.normal(5, 1, 30)
    (one,) = compare(rows(shared, shared + own))
    assert one.difference.low <= 5 <= one.difference.high
    assert one.difference.half_width < 1
    assert one.variance_ratio < 0.01


def test_the_same_policy_twice_differs_by_exactly_nothing():
    (one,) = compare(rows([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]))
    assert (one.difference.low, one.difference.high) == (0, 0)
    assert one.variance_ratio == 0


def test_where_nothing_varies_the_ratio_is_absent():
    (one,) = compare(rows([2.0, 2.0], [3.0, 3.0]))
    assert one.difference.mean == 1
    assert one.variance_ratio is None


def test_forever_less_forever_is_no_difference():
    endless = rows([400, NEVER, 410], [300, NEVER, 310], measure="first_medic_p90_s")
    assert compare(endless) == []
    assert estimate(endless, 0, "first_medic_p90_s").mean == NEVER


def test_a_replication_without_the_measure_is_left_out_and_counted_out():
    some = [*rows([1, 2, 3], [2, 3, 5]), (with_values(), with_values())]
    assert compared(some, 1, MAIN).difference.n == 3
    assert estimate([(with_values(),)], 0, MAIN) is None
    assert compare([]) == []


def test_every_policy_is_held_against_the_first():
    found = compare(rows([1, 2], [2, 3], [5, 6]))
    assert [(one.policy, one.baseline, one.difference.mean) for one in found] == [(1, 0, 1), (2, 0, 4)]


def test_looks_are_at_thirty_times_one_and_a_half_to_the_j():
    assert Stopping(at_most=200, within_s=1).looks == (30, 45, 68, 102, 152, 200)
    assert Stopping(at_most=45, within_s=1).looks == (30, 45)
    assert Stopping(at_most=12, within_s=1).looks == (12,)
    assert Stopping(at_most=200, within_s=1).level_at_a_look == pytest.approx(1 - 0.05 / 6)


def first_stop(stopping: Stopping, *columns) -> int | None:
    made = rows(*columns)
    return next((n for n in range(1, len(made) + 1) if stopping.enough(made[:n])), None)


def test_it_stops_at_the_first_look_where_the_paired_difference_is_clear():
    chance = np.random.default_rng(2)
    shared = chance.normal(100, 20, 102)
    clear = shared + chance.normal(5, 1, 102)
    unclear = shared + chance.normal(0.0, 60, 102)
    stopping = Stopping(at_most=102, within_s=0.5)
    assert first_stop(stopping, shared, clear) == 30
    assert first_stop(stopping, shared, clear, unclear) is None
    assert first_stop(stopping, shared, shared) == 30


def test_it_stops_at_a_look_alone_however_clear_it_was_between_two():
    """The level is split over the looks: one more, and intervals hold less often than they say."""
    stopping = Stopping(at_most=102, within_s=0.01)
    shared = np.random.default_rng(5).normal(100, 20, 102)
    clear_from_31_on = np.where(np.arange(102) < 30, np.where(np.arange(102) % 2, 6.0, -4.0), 6.0)
    one, other = shared.tolist(), (shared + clear_from_31_on).tolist()
    at_44 = compared(rows(one[:44], other[:44]), 1, MAIN, stopping.level_at_a_look)
    assert at_44 is not None
    assert at_44.difference.low is not None
    assert at_44.difference.low > 0, "clear, and wider than within_s"
    assert first_stop(stopping, one, other) == 45


def test_a_policy_alone_stops_by_its_own_width():
    values = np.random.default_rng(3).normal(100, 2, 102)
    assert first_stop(Stopping(at_most=102, within_s=2), values) == 30
    assert first_stop(Stopping(at_most=102, within_s=0.01), values) is None


def test_looking_often_does_not_find_more_differences_than_the_level_says():
    """2,000 runs of two equal policies, six looks each: at 90 % one in ten may end in a difference."""
    stopping = Stopping(at_most=200, within_s=0, level=0.90)
    looks = np.array(stopping.looks)
    noise = np.random.default_rng(4).normal(0, 1, (2_000, stopping.at_most))
    sums, squares = noise.cumsum(axis=1)[:, looks - 1], (noise**2).cumsum(axis=1)[:, looks - 1]
    sd = np.sqrt((squares - sums**2 / looks) / (looks - 1))
    quantile = stats.t.ppf((1 + stopping.level_at_a_look) / 2, looks - 1)
    found = (np.abs(sums / looks) > quantile * sd / np.sqrt(looks)).any(axis=1).mean()
    assert 0.02 < found < 0.10 + 3.3 * math.sqrt(0.09 / 2_000)
    one = noise[0].tolist()
    assert (first_stop(stopping, [0.0] * 200, one) is not None) == bool(
        (np.abs(sums[0] / looks) > quantile * sd[0] / np.sqrt(looks)).any()
    )
