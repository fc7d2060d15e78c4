"""Again after a stand-down of ours or a reopen, after an expiry only by ``more``, never after her decline."""

import pytest

from dispatch.core.lifecycle import OPEN
from tests.core.world import Medic, Night


def asked_times(night: Night, medic_id: str = "medic-0") -> int:
    return night.asked().count(medic_id)


def test_not_while_her_alert_is_open() -> None:
    night = Night(1).report()
    night.wait(80)
    assert night.asked() == ["medic-0"]


def test_not_while_she_is_engaged() -> None:
    night = Night(1, wanted=2).report()
    night.accept(1)
    night.wait(60)
    assert night.asked() == ["medic-0"]


def test_after_a_stand_down_of_ours() -> None:
    night = Night(1).report()
    night.answer(1, "unsafe")
    night.update(hazard="none")
    assert night.states() == ["stood_down", "requested"]
    assert night.alert(2).first == 1


def test_after_an_expiry_not_by_itself() -> None:
    night = Night(1).report()
    night.wait(1000)
    assert night.states() == ["expired"]


def test_after_an_expiry_when_the_operator_asks_for_more() -> None:
    night = Night(1).report()
    night.wait(91)
    night.more()
    assert night.states() == ["expired", "requested"]


def test_after_an_expiry_one_more_serves_once() -> None:
    night = Night(1).report()
    night.wait(91)
    night.more()
    night.wait(1000)
    assert night.states() == ["expired", "expired"]


def test_an_expiry_that_was_told_to_stop_is_still_an_expiry() -> None:
    """Else a hold and its release would ring again whoever had let her phone ring out."""
    night = Night(1).report()
    night.deliver(1)
    night.wait(91)
    night.answer(1, "unsafe")
    night.update(hazard="none")
    night.wait(60)
    assert night.states() == ["stood_down"]


@pytest.mark.parametrize("after", ["more", "reopen", "release"])
def test_never_after_her_own_decline(after: str) -> None:
    night = Night(1).report()
    night.answer(1, "decline")
    if after == "more":
        night.more()
    elif after == "reopen":
        night.close()
        night.reopen()
    else:
        night.pause()
        night.resume()
    night.wait(300)
    assert night.states() == ["declined"]


def test_never_after_she_withdrew() -> None:
    night = Night(1).report()
    night.accept(1)
    night.answer(1, "decline")
    night.more()
    night.wait(300)
    assert night.states() == ["declined"]


def test_after_a_reopen_also_who_had_let_it_expire() -> None:
    night = Night(1).report()
    night.wait(91)
    night.close()
    night.reopen()
    assert night.states() == ["expired", "requested"]
    assert night.alert(2).first == 1


def test_after_a_reopen_also_who_had_finished() -> None:
    night = Night(1).report()
    night.answer(1, "arrived")
    night.close()
    night.reopen()
    assert night.states() == ["finished", "requested"]


def test_at_most_asks_max_times() -> None:
    night = Night(1, asks_max=3).report()
    for _ in range(6):
        night.pause()
        night.resume()
    assert asked_times(night) == 3
    assert not any(state in OPEN for state in night.states())


def test_more_goes_beyond_asks_max_once_for_each_time_it_is_said() -> None:
    night = Night(1, asks_max=1).report()
    night.pause()
    night.resume()
    assert asked_times(night) == 1
    night.more()
    assert asked_times(night) == 2
    night.pause()
    night.resume()
    assert asked_times(night) == 2
    night.more()
    assert asked_times(night) == 3


def test_asks_max_goes_on_counting_over_a_reopen() -> None:
    night = Night(1, asks_max=1).report()
    night.close()
    night.reopen()
    assert asked_times(night) == 1


def test_one_asked_before_is_as_good_as_one_never_asked() -> None:
    night = Night([Medic("near", 60), Medic("far", 300)], waves=[(0, 1)]).report()
    night.pause()
    night.resume()
    assert night.asked() == ["near", "near"]
