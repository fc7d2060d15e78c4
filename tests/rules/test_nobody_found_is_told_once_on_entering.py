"""Exhausted: open, not covered, no enough, and no open alert except lost ones. Told once on entering it."""

from dispatch.core import events as e
from dispatch.core.incident import alerting_state
from tests.core.world import Medic, Night


def told(night: Night) -> int:
    return len(night.all(e.NobodyFound))


def test_at_once_where_nobody_is_near() -> None:
    night = Night(0).report()
    assert told(night) == 1
    assert alerting_state(night.state) == "exhausted"


def test_once_however_long_it_lasts() -> None:
    night = Night(0).report()
    night.wait(3000)
    assert told(night) == 1


def test_not_while_an_alert_is_open() -> None:
    night = Night(2).report()
    night.answer(1, "decline")
    assert told(night) == 0
    night.answer(2, "decline")
    assert told(night) == 1


def test_a_lost_alert_holds_nothing_up() -> None:
    night = Night(1).report()
    night.lose(1)
    assert night.alert(1).open
    assert told(night) == 1


def test_however_many_are_on_the_way() -> None:
    night = Night(2, wanted=3).report()
    night.accept(1)
    night.accept(2)
    (event,) = night.all(e.NobodyFound)
    assert (event.asked, event.on_the_way) == (2, 2)


def test_not_while_covered_or_after_enough_or_held() -> None:
    covered = Night(1).report()
    covered.accept(1)
    assert told(covered) == 0
    enough = Night(1).report()
    enough.enough()
    enough.wait(200)
    assert told(enough) == 0
    held = Night(1).report(hazard="hold")
    held.wait(200)
    assert told(held) == 0


def test_asked_counts_medics_not_alerts() -> None:
    night = Night(1).report()
    night.pause()
    night.resume()
    night.answer(2, "decline")
    assert night.all(e.NobodyFound)[0].asked == 1


def test_it_ends_with_the_next_alert() -> None:
    night = Night(0).report()
    night.near.append(Medic("late", 100))
    night.wait(10)
    assert alerting_state(night.state) == "active"
    night.answer(1, "decline")
    assert told(night) == 2


def test_it_ends_with_cover() -> None:
    night = Night(1).report()
    night.wait(90)
    assert told(night) == 1
    night.accept(1)
    night.answer(1, "decline")
    assert told(night) == 2


def test_it_ends_with_more() -> None:
    night = Night(0).report()
    night.more()
    assert told(night) == 2


def test_it_ends_with_reopen() -> None:
    night = Night(0).report()
    night.close()
    night.reopen()
    assert told(night) == 2


def test_a_hold_and_its_release_do_not_tell_it_again() -> None:
    night = Night(0).report()
    night.pause()
    night.resume()
    assert told(night) == 1
