"""The waves' clock runs only while the incident is open, not covered and nobody said enough."""

from tests.core.world import Night


def asked(night: Night) -> int:
    return len(night.asked())


def test_covered_it_stands_still() -> None:
    night = Night(10, waves=[(0, 2), (60, 2)], wanted=1).report()
    night.wait(50)
    night.answer(1, "arrived")
    night.wait(600)
    assert asked(night) == 2
    night.answer(1, "decline")
    assert asked(night) == 4, "asked anew: the shortfall, not the second wave"
    night.wait(9)
    assert asked(night) == 4
    night.wait(1)
    assert asked(night) == 6


def test_held_it_stands_still() -> None:
    night = Night(10, waves=[(0, 2), (60, 2)]).report()
    night.wait(50)
    night.pause()
    night.wait(600)
    night.resume()
    assert asked(night) == 4
    night.wait(9)
    assert asked(night) == 4
    night.wait(1)
    assert asked(night) == 6


def test_after_enough_it_stands_still_until_more() -> None:
    night = Night(10, waves=[(0, 2), (60, 2)]).report()
    night.wait(50)
    night.enough()
    night.wait(600)
    assert asked(night) == 2
    night.more(1)
    assert asked(night) == 5, "two and one more"
    night.wait(9)
    assert asked(night) == 5
    night.wait(1)
    assert asked(night) == 7
