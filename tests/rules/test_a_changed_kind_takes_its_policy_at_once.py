"""A changed kind takes that kind's policy at once: only the shortfall is asked."""

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import digest
from tests.core.world import Night, a_policy


def test_only_the_shortfall_is_asked() -> None:
    night = Night(20, waves=[(0, 3)]).report()
    night.change_kind(a_policy(waves=[(0, 10)], wanted=3))
    assert len(night.asked()) == 10


def test_fewer_due_asks_nobody_and_takes_nobody_back() -> None:
    night = Night(20, waves=[(0, 5)]).report()
    night.change_kind(a_policy(waves=[(0, 2)]))
    assert night.states() == ["requested"] * 5


def test_who_no_longer_fits_is_stood_down_changed_and_replaced() -> None:
    night = Night(5, waves=[(0, 3)]).report()
    night.near[1].fits = False
    night.change_kind(night.policy)
    assert night.states() == ["requested", "stood_down", "requested", "requested"]
    assert night.reasons()[1] == "changed"
    assert night.asked()[3] == "medic-3"


def test_who_no_longer_fits_is_stood_down_also_where_nobody_knows_where_she_is() -> None:
    """Her fix has grown stale since she was asked."""
    night = Night(1).report()
    lost_sight_of = c.Standing(1, None, None, fits=False)
    night.update("position", kind="other", standing=(lost_sight_of,))
    assert (night.states(), night.reasons()) == (["stood_down"], ["changed"])


def test_it_moves_nobody() -> None:
    """How far she is now counts when the incident moves, not when it is called something else."""
    night = Night(1).report()
    night.near[0].eta_s = 9999
    night.change_kind(night.policy)
    assert (night.states(), night.alert(1).eta_s) == (["requested"], 60)


def test_who_has_accepted_stays_though_she_does_not_fit() -> None:
    night = Night(3, wanted=2).report()
    night.accept(1)
    night.near[0].fits = False
    night.change_kind(night.policy)
    assert night.alert(1).state == "accepted"


def test_a_new_setting_that_she_is_not_cleared_for_too() -> None:
    night = Night(2).report()
    night.near[0].fits = False
    night.update(setting="private", standing=night.standing())
    assert night.reasons() == ["changed", None]


def test_cover_is_judged_by_the_new_policy() -> None:
    night = Night(9, waves=[(0, 2)], wanted=2).report()
    night.accept(1)
    night.change_kind(a_policy(waves=[(0, 2)], wanted=1))
    assert night.state.covered
    night.change_kind(a_policy(waves=[(0, 2)], wanted=2))
    assert not night.state.covered


def test_the_event_names_the_new_policy_by_its_hash() -> None:
    night = Night(1).report()
    policy = a_policy(wanted=7)
    night.change_kind(policy)
    (event,) = night.all(e.IncidentUpdated)
    assert (event.kind, event.policy) == ("other", digest(policy))
    assert night.state.policy == digest(policy)


def test_the_waves_clock_goes_on() -> None:
    night = Night(20, waves=[(0, 2)]).report()
    night.wait(50)
    night.change_kind(a_policy(waves=[(0, 2), (40, 3), (60, 4)]))
    assert len(night.asked()) == 5
    night.wait(10)
    assert len(night.asked()) == 9


def test_who_is_overdue_by_the_new_policy_is_so_at_once() -> None:
    night = Night(2, waves=[(0, 2)], wanted=2, overdue_s_min=1000).report()
    night.accept(1, eta_s=60)
    night.answer(2, "arrived")
    night.wait(120)
    night.change_kind(a_policy(waves=[(0, 2)], wanted=1, overdue_s_min=120))
    assert night.alert(1).overdue


def test_a_less_patient_policy_does_not_close_what_was_open_under_the_old() -> None:
    night = Night(0, auto_close_s=3600).report()
    night.wait(1000)
    night.change_kind(a_policy(auto_close_s=600))
    assert night.state.state == "open"
    night.wait(600)
    assert night.state.state == "closed"
