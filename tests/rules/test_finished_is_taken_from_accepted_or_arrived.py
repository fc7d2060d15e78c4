"""Finished from accepted or arrived, else 409 ``not_engaged``."""

import pytest

from tests.core.world import Night, refused


@pytest.mark.parametrize("first", ["accept", "arrived"])
def test_taken(first: str) -> None:
    night = Night(1).report()
    night.answer(1, first)  # type: ignore[arg-type]
    night.answer(1, "finished")
    assert night.states() == ["finished"]


def test_a_repeat_changes_nothing() -> None:
    night = Night(1).report()
    night.accept(1)
    night.answer(1, "finished")
    night.answer(1, "finished")
    assert not night.last


def test_not_engaged_before_an_accept() -> None:
    night = Night(1).report()
    with refused(night, "not_engaged"):
        night.answer(1, "finished")


def test_not_engaged_after_a_decline() -> None:
    night = Night(1).report()
    night.answer(1, "decline")
    with refused(night, "not_engaged"):
        night.answer(1, "finished")


def test_after_the_end_only_a_repeat() -> None:
    night = Night(2, wanted=2).report()
    night.answer(1, "arrived")
    night.accept(2)
    night.close()
    night.answer(1, "finished")
    assert night.states() == ["finished", "stood_down"]
    with refused(night, "ended"):
        night.answer(2, "finished")
