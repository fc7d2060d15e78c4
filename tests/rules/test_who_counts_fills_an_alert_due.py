"""Counts: open and not lost, or on the way; without ``replace`` also declined, lost, expired and failed."""

import pytest

from tests.core.world import Night


def decline(night: Night) -> None:
    night.answer(1, "decline")


def expire(night: Night) -> None:
    night.wait(91)


def lose(night: Night) -> None:
    night.lose(1)


def fail(night: Night) -> None:
    night.lose(1)
    night.wait(91)


USED_UP = {"declined": decline, "expired": expire, "lost": lose, "failed": fail}


@pytest.mark.parametrize("how", USED_UP)
def test_with_replace_it_is_replaced(how: str) -> None:
    night = Night(2, waves=[(0, 1)]).report()
    USED_UP[how](night)
    assert len(night.asked()) == 2


@pytest.mark.parametrize("how", USED_UP)
def test_without_replace_it_goes_on_filling_its_place(how: str) -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    USED_UP[how](night)
    night.wait(300)
    assert night.asked() == ["medic-0"]


def test_without_replace_an_expired_alert_that_she_declines_fills_its_place() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    expire(night)
    decline(night)
    assert night.asked() == ["medic-0"]


def test_without_replace_a_withdrawal_is_replaced() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    night.accept(1)
    decline(night)
    assert night.asked() == ["medic-0", "medic-1"]


def test_without_replace_a_withdrawal_of_one_who_only_pressed_arrived_is_replaced() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    night.answer(1, "arrived")
    decline(night)
    assert night.asked() == ["medic-0", "medic-1"]


def test_without_replace_a_stand_down_is_replaced() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    night.medic_of[1].free = False
    night.leave(1, "suspended")
    assert night.asked() == ["medic-0", "medic-1"]


def test_without_replace_a_decline_after_a_stand_down_takes_no_place() -> None:
    night = Night(3, waves=[(0, 1)], replace=False).report()
    night.pause()
    decline(night)
    night.resume()
    assert night.asked() == ["medic-0", "medic-1"]


def test_without_replace_who_is_overdue_is_replaced() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    night.accept(1, eta_s=60)
    night.wait(120)
    assert night.alert(1).overdue
    assert night.asked() == ["medic-0", "medic-1"]


def test_who_is_on_the_way_counts() -> None:
    night = Night(5, waves=[(0, 3)], wanted=5).report()
    night.accept(1)
    night.answer(2, "arrived")
    night.wait(60)
    assert len(night.asked()) == 3
