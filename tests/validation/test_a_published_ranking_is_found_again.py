"""Seven alerts, each decline replaced, beside alerts by the clock; and HartslagNu's planning figure."""

import numpy as np
import pytest

from simulations.validation import data, hartslagnu
from simulations.validation.line import Difference, Ranking, difference
from simulations.validation.van_den_berg import place_of, policy_of, ranking, rankings

BY_CLOCK = ["three_then_one_every_15_s"]


@pytest.fixture(scope="module")
def place():
    return place_of(20)


def answers(silent, first, second):
    """So many alerts of each answer, after 20 to 90 s."""
    kinds = np.repeat([0.0, 1.0, 2.0], [silent, first, second])
    delays = np.linspace(20.0, 90.0, len(kinds))[np.random.default_rng(1).permutation(len(kinds))]
    return np.column_stack((kinds, np.where(kinds > 0, delays, np.nan)))


def test_seven_replaced_is_ranked_above_the_clock_and_not_below(place):
    responses = answers(20, 40, 40)
    seven, by_clock = (
        place.play(policy_of(name), responses, 1) for name in ("seven_replaced", "three_then_one_every_15_s")
    )
    assert ranking("", seven, by_clock).line().startswith("ok")
    assert ranking("", by_clock, seven).line().startswith("WRONG")


def test_a_decline_is_replaced_and_silence_only_where_it_counts_as_one(place):
    def alerts(name, responses):
        return place.play(policy_of(name), responses, 1).alerts

    assert (alerts("seven_replaced", answers(100, 0, 0)) == 7).all()
    assert (alerts("seven_replaced_after_60_s", answers(100, 0, 0)) == 30).all()
    assert (alerts("seven_replaced", answers(0, 0, 100)) == 30).all()
    assert (alerts("seven_replaced", answers(0, 100, 0)) == 7).all()


@pytest.mark.parametrize("accept", [1, 2])
def test_under_both_readings_of_the_answers(accept):
    try:
        responses = data.responses()
    except data.Absent as absent:
        pytest.skip(str(absent))
    found = rankings(responses, 20, accept=accept, by_clock=BY_CLOCK)
    assert len(found) == 2
    for one in found:
        assert one.agrees, one.line()


def test_a_ranking_needs_something_better_and_nothing_worse():
    values = np.arange(100.0)
    better, worse = (difference("x", values + by, values + values % 2, more_is_better=True) for by in (3, -3))
    same: Difference = difference("x", values + values % 3, values + values % 3, more_is_better=True)
    assert [one.verdict for one in (better, worse, same)] == ["better", "worse", "not told apart"]
    assert Ranking("", (better, same)).agrees
    assert not Ranking("", (better, worse)).agrees
    assert not Ranking("", (same, same)).agrees
    noted = Ranking("", (better, worse), judged=False)
    assert noted.agrees
    assert noted.line().startswith("note")


def test_a_planning_figure_that_differs_is_noted_and_not_tuned():
    often, seldom = hartslagnu.checks(replications=2)
    for noted in (often, seldom):
        assert noted.agrees
        assert noted.line().startswith("note  HartslagNu, alerts for 5 on scene")
        assert "theirs 70" in noted.line()
    # Of all alerted, 0.756 x 0.50 x 0.72 would arrive were no ambulance there first, or 0.384 for the last.
    assert 5 / 0.273 * 0.8 < often.check.ours < 5 / 0.273 * 1.4
    assert seldom.check.ours > 1.5 * often.check.ours
