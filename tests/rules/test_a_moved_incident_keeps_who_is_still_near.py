"""A moved incident: alerts outside the reach end ``moved``, those inside count while still among the best."""

from dispatch.core import commands as c
from dispatch.core import events as e
from tests.core.world import Medic, Night


def test_outside_the_reach_it_ends_and_is_replaced() -> None:
    night = Night(3, waves=[(0, 2)], reach_s=600).report()
    night.move({1: 601, 2: 600})
    assert night.states() == ["stood_down", "requested", "requested"]
    assert night.reasons()[0] == "moved"


def test_one_inside_stays_and_counts_while_among_the_best() -> None:
    night = Night(2, waves=[(0, 2)], better_by_s=120).report()
    night.near += [Medic("new", 300)]
    night.move({1: 100, 2: 300})
    assert night.states() == ["requested", "requested"]
    assert [alert.counts for alert in night.state.alerts] == [True, True]


def test_one_slower_than_the_last_of_the_best_by_more_than_better_by_s_counts_no_longer() -> None:
    night = Night(2, waves=[(0, 2)], better_by_s=120).report()
    night.near += [Medic("new-1", 50), Medic("new-2", 60)]
    night.move({1: 180, 2: 181})
    assert [alert.counts for alert in night.state.alerts[:2]] == [True, False]
    assert night.states() == ["requested"] * 3, "it stays open, and one more is asked"
    assert night.asked()[2] == "new-1"


def test_all_who_count_no_longer_are_replaced_in_that_very_decision() -> None:
    night = Night(4, waves=[(0, 4)], better_by_s=60).report()
    night.near += [Medic(f"new-{i}", 50 + i) for i in range(4)]
    night.move(dict.fromkeys(range(1, 5), 500))
    assert len(night.now(e.AlertRequested)) == 4


def test_the_best_are_looked_for_among_as_many_as_are_due_not_only_as_are_missing() -> None:
    """One alert is out of reach, so one is missing; but three places are to be filled by the best."""
    night = Night(3, waves=[(0, 3)], better_by_s=60).report()
    night.near += [Medic(f"new-{i}", 50 + i) for i in range(3)]
    night.move({1: 9999, 2: 500, 3: 500})
    assert night.asked()[3:] == ["new-0", "new-1", "new-2"]


def test_one_that_counts_no_longer_does_not_when_it_expires_either() -> None:
    night = Night(1, waves=[(0, 1)], better_by_s=60, replace=False).report()
    night.near += [Medic("new-1", 50), Medic("new-2", 51)]
    night.move({1: 500})
    assert night.asked() == ["medic-0", "new-1"]
    night.wait(60)
    night.leave(2, "suspended")
    assert night.asked()[2:] == ["new-2"]
    night.wait(30)
    assert night.alert(1).state == "expired"
    night.leave(3, "engaged")
    assert night.asked()[3:] == ["new-1"]


def test_a_lost_alert_is_none_of_the_best() -> None:
    """Nobody waits for it: two places are for the new one and for alert 2, the second best there is."""
    night = Night([Medic("lost", 10), Medic("other", 50)], waves=[(0, 2)], better_by_s=120).report()
    night.lose(1)
    night.near += [Medic("new", 30)]
    night.move({1: 10, 2: 300})
    assert night.alert(2).counts
    assert night.asked()[2:] == ["new"]


def test_without_replace_places_that_are_filled_for_good_are_not_for_the_best() -> None:
    """Of two places a decline fills one: the last of the best is the new one, 30 s away."""
    night = Night([Medic("no", 10), Medic("far", 50)], waves=[(0, 2)], better_by_s=120, replace=False)
    night.report()
    night.answer(1, "decline")
    night.near += [Medic("new", 30), Medic("newer", 300)]
    night.move({2: 400})
    assert not night.alert(2).counts
    assert night.asked()[2:] == ["new"]


def test_of_whom_it_is_not_known_where_she_is_stays_as_she_was() -> None:
    night = Night(1).report()
    night.update("position", standing=(c.Standing(1, None, None, fits=True),))
    assert (night.states(), night.alert(1).eta_s, night.alert(1).counts) == (["requested"], 60, True)
    assert not night.all(e.AlertMoved)


def test_a_move_does_not_ask_anew_who_fits() -> None:
    night = Night(1).report()
    night.near[0].fits = False
    night.move()
    assert night.states() == ["requested"]


def test_everyone_still_alerted_gets_the_new_travel_time() -> None:
    night = Night(3, wanted=4).report()
    night.accept(1)
    night.answer(2, "arrived")
    night.move({1: 77, 2: 5, 3: 99})
    moved = {event.n: event.eta_s for event in night.all(e.AlertMoved)}
    assert moved == {1: 77, 3: 99}, "who has arrived travels no more"
    assert all(night.requests(n, "update") for n in (1, 2, 3))


def test_an_accepted_one_stays_however_far() -> None:
    night = Night(1).report()
    night.accept(1)
    night.move({1: 5000})
    assert night.alert(1).state == "accepted"


def test_held_it_asks_nobody_and_looks_for_nobody() -> None:
    night = Night(3, wanted=2).report()
    night.accept(1)
    night.pause()
    looks = night.looks
    night.move({1: 200})
    assert night.looks == looks
    assert night.alert(1).eta_s == 200
