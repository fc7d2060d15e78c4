"""The next best by ``eta_s`` are alerted in one wave, up to ``alerts_max`` medics, each counted once."""

import random

from dispatch.core import events as e
from tests.core.world import Medic, Night, medics


def test_the_best_by_travel_time_whatever_order_the_roster_gave() -> None:
    near = medics(20)
    random.Random(1).shuffle(near)
    night = Night(near).report()
    assert night.asked() == ["medic-0", "medic-1", "medic-2"]
    assert [alert.wave for alert in night.state.alerts] == [1, 1, 1]


def test_nobody_beyond_the_reach() -> None:
    night = Night([Medic("at", 600), Medic("past", 601)]).report()
    assert night.asked() == ["at"]


def test_later_waves_add_what_has_become_due() -> None:
    night = Night(10, waves=[(0, 2), (30, 3)]).report()
    night.wait(29)
    assert len(night.asked()) == 2
    night.wait(1)
    assert len(night.asked()) == 5
    assert [alert.wave for alert in night.state.alerts] == [1, 1, 2, 2, 2]


def test_a_wave_is_told_with_how_many_it_chose() -> None:
    night = Night(2, waves=[(0, 3)]).report()
    (wave,) = night.all(e.WaveDecided)
    assert (wave.wave, wave.considered, wave.chosen) == (1, 2, 2)


def test_a_decline_is_replaced_at_once_by_the_next_best() -> None:
    night = Night(10).report()
    night.answer(2, "decline")
    assert night.asked()[3:] == ["medic-3"]


def test_an_expiry_is_replaced_at_once() -> None:
    night = Night(10, waves=[(0, 3)]).report()
    night.wait(90)
    assert night.states() == ["expired"] * 3 + ["requested"] * 3


def test_at_most_alerts_max_medics_are_asked() -> None:
    night = Night(30, alerts_max=5).report()
    for n in range(1, 6):
        night.answer(n, "decline")
    night.wait(300)
    assert len(night.asked()) == 5


def test_a_medic_asked_twice_is_counted_once() -> None:
    night = Night(4, waves=[(0, 2)], alerts_max=3).report()
    night.pause()
    night.resume()
    assert night.asked() == ["medic-0", "medic-1"] * 2
    night.answer(3, "decline")
    assert night.asked()[4:] == ["medic-2"], "the third medic, though it is the fifth alert"
    night.answer(4, "decline")
    assert len(night.asked()) == 5, "a fourth medic would be one too many"


def test_where_no_new_medic_may_be_asked_the_best_of_those_asked_before_is() -> None:
    night = Night(4, waves=[(0, 2)], alerts_max=2).report()
    night.pause()
    night.near[0].free = False
    night.resume()
    assert night.asked()[2:] == ["medic-1"]


def test_a_reopen_counts_them_anew() -> None:
    night = Night(6, waves=[(0, 2)], alerts_max=2).report()
    night.answer(1, "decline")
    night.answer(2, "decline")
    night.close()
    night.reopen()
    assert night.asked() == ["medic-0", "medic-1", "medic-2", "medic-3"]


def test_after_a_reopen_those_asked_before_use_up_alerts_max_like_everybody() -> None:
    night = Night(6, waves=[(0, 1)], alerts_max=1).report()
    night.close()
    night.reopen()
    night.answer(2, "decline")
    night.wait(60)
    assert night.asked() == ["medic-0", "medic-0"]
