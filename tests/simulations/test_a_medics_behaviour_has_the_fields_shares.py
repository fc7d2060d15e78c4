"""The shares and times that `simulations.behaviour` cites come out of its draws, within 99.9 % bounds."""

from math import sqrt
from statistics import quantiles

import pytest

from simulations.behaviour import Behaviour, Habits, Plan

MEDICS = 20_000
Z_999 = 3.291
"""Two-sided 99.9 % of the normal distribution."""


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    behaviour = Behaviour(20)
    return [behaviour.plan(f"incident {number % 100}", f"medic {number}") for number in range(MEDICS)]


def assert_share(hits: int, of: int, expected: float) -> None:
    assert abs(hits / of - expected) < Z_999 * sqrt(expected * (1 - expected) / of), (hits, of, expected)


def test_three_in_four_see_the_alert(plans):
    assert_share(sum(plan.notice_s is not None for plan in plans), MEDICS, 0.756)


def test_half_of_those_who_see_it_accept(plans):
    seen = [plan for plan in plans if plan.notice_s is not None]
    assert_share(sum(plan.answer == "accept" for plan in seen), len(seen), 0.50)
    assert_share(sum(plan.answer == "decline" for plan in seen), len(seen), 0.40)


def test_72_in_100_who_accept_arrive_and_20_withdraw(plans):
    accepted = [plan for plan in plans if plan.answer == "accept"]
    assert_share(sum(plan.arrives for plan in accepted), len(accepted), 0.72)
    assert_share(sum(plan.after == "withdraws" for plan in accepted), len(accepted), 0.20)


def test_answers_take_40_s_in_the_median(plans):
    delays = [plan.answer_s for plan in plans if plan.answer_s is not None]
    assert_share(sum(delay < 40.0 for delay in delays), len(delays), 0.5)
    quartiles = quantiles(delays, n=4)
    assert quartiles[0] == pytest.approx(29.8, rel=0.05)
    assert quartiles[2] == pytest.approx(56.6, rel=0.05)


def test_travel_spreads_as_the_field_does(plans):
    usual_s = 956 / 2.3
    speeds = [956 / plan.travel_s(usual_s) for plan in plans]
    assert_share(sum(speed < 2.3 for speed in speeds), MEDICS, 0.5)
    quartiles = quantiles(speeds, n=4)
    assert quartiles[0] == pytest.approx(1.4, rel=0.05)
    assert quartiles[2] == pytest.approx(4.0, rel=0.05)


def test_nobody_answers_what_she_has_not_seen(plans):
    for plan in plans:
        if plan.answer is None:
            assert plan.answer_s is None
        else:
            assert plan.notice_s is not None
            assert plan.answer_s is not None
            assert plan.notice_s < plan.answer_s


def test_only_who_accepts_can_arrive_and_only_who_arrives_finishes(plans):
    for plan in plans:
        assert (plan.after is None) == (plan.answer != "accept")
        assert (plan.finishes_s(300) is None) == (not plan.arrives)


def test_draws_of_different_purposes_are_unrelated(plans):
    """Among those who see it, slow and quick answerers accept alike: one hash for both would tie them."""
    seen = sorted((plan.notice_s, plan.answer == "accept") for plan in plans if plan.notice_s is not None)
    quick = seen[: len(seen) // 2]
    assert_share(sum(accepts for _, accepts in quick), len(quick), 0.50)


def test_other_habits_can_be_told():
    silent = Behaviour(1, habits=Habits(seen=0.0))
    assert all(silent.plan("i", f"m{number}").notice_s is None for number in range(500))
