"""Covered: ``wanted`` on the way. Who could not beat the best by ``better_by_s`` is stood down."""

from dispatch.core import events as e
from tests.core.world import Medic, Night

THREE = [Medic("near", 60), Medic("middle", 200), Medic("far", 400)]


def three() -> Night:
    return Night([Medic(m.id, m.eta_s) for m in THREE], better_by_s=120).report()


def test_covered_by_as_many_as_are_wanted() -> None:
    night = Night(3, wanted=2).report()
    night.accept(1)
    assert not night.now(e.IncidentCovered)
    night.accept(2)
    assert night.state.covered
    assert [event.on_the_way for event in night.all(e.IncidentCovered)] == [2]


def test_who_is_faster_by_better_by_s_stays_open() -> None:
    night = three()
    night.accept(3)
    assert night.states() == ["requested", "requested", "accepted"], "60 and 200 beat 400 by 120"


def test_who_is_not_is_stood_down() -> None:
    night = three()
    night.accept(2)
    assert night.states() == ["requested", "accepted", "stood_down"], "60 beats 200 by 120, 400 does not"
    assert night.alert(3).reason == "covered"


def test_one_second_short_of_better_by_s_is_not_better() -> None:
    night = Night([Medic("a", 81), Medic("b", 200)], better_by_s=120).report()
    night.accept(2)
    assert night.states() == ["stood_down", "accepted"]


def test_exactly_better_by_s_is_better() -> None:
    night = Night([Medic("a", 80), Medic("b", 200)], better_by_s=120).report()
    night.accept(2)
    assert night.states() == ["requested", "accepted"]


def test_expected_arrival_is_the_time_of_the_accept_plus_her_eta() -> None:
    night = three()
    night.wait(50)
    night.accept(3, eta_s=300)
    assert night.states() == ["requested", "stood_down", "accepted"], "at 350; from now 60 beats it, 200 not"


def test_the_best_is_the_earliest_of_those_on_the_way() -> None:
    night = Night([Medic("near", 60), Medic("slow", 400), Medic("fast", 100)], wanted=2, better_by_s=60)
    night.report()
    by_id = {medic.id: n for n, medic in night.medic_of.items()}
    night.accept(by_id["slow"])
    night.accept(by_id["fast"])
    assert night.alert(by_id["near"]).state == "stood_down", "60 beats 400, but not 100 by 60"


def test_nobody_beats_one_who_has_arrived() -> None:
    night = Night([Medic("a", 1), Medic("b", 500)], better_by_s=0).report()
    night.accept(2)
    assert night.states() == ["requested", "accepted"], "500 s away she could be beaten"
    night.answer(2, "arrived")
    assert night.states() == ["stood_down", "arrived"]


def test_judged_again_when_the_best_improves() -> None:
    night = three()
    night.accept(3)
    night.accept(1)
    assert night.states() == ["accepted", "stood_down", "accepted"]


def test_not_judged_again_by_time_alone() -> None:
    night = three()
    night.accept(3)
    night.wait(89)
    assert night.states() == ["requested", "requested", "accepted"]


def test_judged_when_the_incident_moves() -> None:
    night = three()
    night.accept(3)
    night.move({1: 380, 2: 30, 3: 400})
    assert night.states() == ["stood_down", "requested", "accepted"]


def test_an_alert_whose_time_runs_out_while_covered_is_stood_down() -> None:
    night = three()
    night.accept(3)
    night.wait(90)
    assert night.states() == ["stood_down", "stood_down", "accepted"]
    assert night.reasons() == ["covered", "covered", None]


def test_a_lost_alert_whose_time_runs_out_while_covered_has_failed() -> None:
    """Nobody has it to put down."""
    night = three()
    night.lose(1)
    night.accept(3)
    assert night.alert(1).open, "she could still beat the best, were she reached"
    night.wait(90)
    assert night.states()[0] == "failed"


def test_an_expired_alert_that_was_delivered_is_stood_down_too() -> None:
    night = Night(2, waves=[(0, 2)]).report()
    night.deliver(2)
    night.wait(91)
    night.accept(1)
    assert night.states() == ["accepted", "stood_down"]


def test_an_expired_alert_that_never_was_delivered_is_left() -> None:
    night = Night(2, waves=[(0, 2)]).report()
    night.wait(91)
    night.accept(1)
    assert night.states() == ["accepted", "expired"]
