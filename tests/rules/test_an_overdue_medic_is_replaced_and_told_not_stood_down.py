"""Overdue: past the later of the accept and the last new ``eta_s``, plus max(min, factor x eta): replaced."""

from typing import Any

from dispatch.core import events as e
from tests.core.world import Night


def accepted(eta_s: int, **keys: Any) -> Night:
    night = Night(2, waves=[(0, 1)], **keys).report()
    night.accept(1, eta_s=eta_s)
    return night


def overdue_after_s(night: Night, limit_s: int = 2000) -> int:
    for seconds in range(1, limit_s):
        night.wait(1)
        if night.alert(1).overdue:
            return seconds
    raise AssertionError("never overdue")


def test_after_the_factor_times_her_travel_time() -> None:
    assert overdue_after_s(accepted(200, overdue_factor=1.5)) == 300


def test_but_not_before_overdue_s_min() -> None:
    assert overdue_after_s(accepted(20, overdue_s_min=120)) == 120


def test_replaced_told_and_not_stood_down() -> None:
    night = accepted(60)
    night.wait(120)
    assert night.states() == ["accepted", "requested"]
    assert [event.n for event in night.all(e.AlertOverdue)] == [1]
    assert not night.all(e.AlertStoodDown)
    assert not night.requests(1, "stand_down")


def test_told_once() -> None:
    night = accepted(60)
    night.wait(1000)
    assert len(night.all(e.AlertOverdue)) == 1


def test_not_once_she_has_arrived() -> None:
    night = accepted(60)
    night.answer(1, "arrived")
    night.wait(1000)
    assert not night.all(e.AlertOverdue)


def test_anew_from_a_new_travel_time() -> None:
    night = accepted(200)
    night.wait(100)
    night.move({1: 100})
    assert overdue_after_s(night) == 150


def test_a_new_travel_time_brings_an_overdue_medic_back() -> None:
    night = accepted(60)
    night.wait(120)
    night.move({1: 100})
    assert not night.alert(1).overdue
    assert night.state.covered
    assert overdue_after_s(night) == 150
