"""While the shortfall is above zero: every ``look_again_s``, until the waves' clock passes ``look_s_max``."""

from dispatch.core import events as e
from tests.core.world import Medic, Night


def test_every_look_again_s() -> None:
    night = Night(0, look_again_s=10, waves=[(0, 3)]).report()
    night.wait(35)
    assert night.looks == 1 + 3


def test_who_comes_near_is_found_by_the_next_look() -> None:
    night = Night(0).report()
    night.wait(4)
    night.near.append(Medic("late", 100))
    night.wait(6)
    assert night.asked() == ["late"]


def test_a_look_that_finds_nobody_writes_no_event() -> None:
    night = Night(0).report()
    told = len(night.events)
    night.wait(300)
    assert night.looks > 20
    assert len(night.events) == told


def test_not_while_nobody_is_missing() -> None:
    night = Night(3, waves=[(0, 3)]).report()
    night.wait(80)
    assert night.looks == 1


def test_until_look_s_max_has_passed() -> None:
    night = Night(0, look_again_s=10, look_s_max=100, waves=[(0, 3)]).report()
    night.wait(1000)
    assert night.looks == 1 + 10


def test_more_gives_half_of_it_again() -> None:
    night = Night(0, look_again_s=10, look_s_max=100, waves=[(0, 3)]).report()
    night.wait(1000)
    before = night.looks
    night.more()
    night.wait(1000)
    assert night.looks - before == 1 + 5


def test_more_said_early_takes_nothing_away() -> None:
    night = Night(0, look_again_s=10, look_s_max=100, waves=[(0, 3)]).report()
    night.wait(20)
    night.more()
    night.wait(1000)
    assert night.looks == 1 + 2 + 1 + 8


def test_held_time_does_not_use_it_up() -> None:
    night = Night(0, look_again_s=10, look_s_max=100, waves=[(0, 3)]).report()
    night.wait(50)
    night.pause()
    night.wait(500)
    night.resume()
    night.wait(500)
    assert night.looks == 1 + 5 + 1 + 5


def test_no_look_where_nobody_could_be_asked() -> None:
    night = Night(1, alerts_max=1).report()
    night.answer(1, "decline")
    looks = night.looks
    night.wait(300)
    assert night.looks == looks
    assert not night.now(e.WaveDecided)
