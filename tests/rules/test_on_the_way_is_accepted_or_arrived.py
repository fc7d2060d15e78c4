"""On the way: accepted or arrived, not overdue, not withdrawn; who was there goes on counting."""

from dispatch.core.incident import on_the_way
from tests.core.world import Night


def coming(night: Night) -> list[int]:
    return [alert.n for alert in on_the_way(night.state)]


def test_accepted_and_arrived_are() -> None:
    night = Night(3, wanted=5).report()
    night.accept(1)
    night.answer(2, "arrived")
    assert coming(night) == [1, 2]


def test_who_withdrew_is_not() -> None:
    night = Night(3, wanted=5).report()
    night.accept(1)
    night.answer(1, "decline")
    assert coming(night) == []


def test_who_is_overdue_is_not_until_she_arrives() -> None:
    night = Night(3, wanted=5).report()
    night.accept(1, eta_s=60)
    night.wait(120)
    assert coming(night) == []
    night.answer(1, "arrived")
    assert coming(night) == [1]


def test_who_arrived_goes_on_counting_after_she_finished() -> None:
    night = Night(3, wanted=5).report()
    night.answer(1, "arrived")
    night.answer(1, "finished")
    assert coming(night) == [1]


def test_who_says_finished_was_there_though_she_never_pressed_arrived() -> None:
    night = Night(3, wanted=5).report()
    night.accept(1)
    night.answer(1, "finished")
    assert coming(night) == [1]


def test_who_was_overdue_and_says_finished_was_there_too() -> None:
    night = Night(3, wanted=5).report()
    night.accept(1, eta_s=60)
    night.wait(120)
    night.answer(1, "finished")
    assert coming(night) == [1]


def test_a_lapse_without_arrival_does_not_count() -> None:
    night = Night(1, wanted=5, overdue_s_min=10_000).report()
    night.accept(1)
    night.wait(3600)
    assert night.states() == ["finished"]
    assert coming(night) == []


def test_a_lapse_after_arrival_does() -> None:
    night = Night(1).report()
    night.answer(1, "arrived")
    night.wait(3600)
    assert night.states() == ["finished"]
    assert coming(night) == [1]
