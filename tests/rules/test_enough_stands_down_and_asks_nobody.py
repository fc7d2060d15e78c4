"""Enough: open alerts are stood down ``covered``, nobody is asked, until ``more`` or ``reopen``."""

from dispatch.core import events as e
from dispatch.core.incident import alerting_state
from tests.core.world import Night


def test_open_alerts_are_stood_down_covered_the_others_stay() -> None:
    night = Night(3, wanted=2).report()
    night.accept(1)
    night.enough()
    assert night.states() == ["accepted", "stood_down", "stood_down"]
    assert night.reasons()[1:] == ["covered", "covered"]


def test_nobody_is_asked() -> None:
    night = Night(9).report()
    night.enough()
    night.wait(300)
    assert len(night.asked()) == 3
    assert alerting_state(night.state) == "ended"


def test_nor_when_the_last_on_the_way_withdraws() -> None:
    night = Night(9, wanted=2).report()
    night.accept(1)
    night.enough()
    night.answer(1, "decline")
    assert len(night.asked()) == 3
    assert not night.all(e.NobodyFound)


def test_a_repeat_changes_nothing() -> None:
    night = Night(3).report()
    night.enough()
    night.enough()
    assert not night.last


def test_a_hold_and_release_do_not_end_it() -> None:
    night = Night(9).report()
    night.enough()
    night.pause()
    night.resume()
    assert len(night.asked()) == 3


def test_reopen_ends_it() -> None:
    night = Night(9).report()
    night.enough()
    night.close()
    night.reopen()
    assert len(night.asked()) == 6
