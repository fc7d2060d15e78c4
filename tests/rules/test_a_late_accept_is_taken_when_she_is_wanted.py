"""From declined, expired, stood_down, failed: when not covered, or when she is better by ``better_by_s``."""

import pytest

from tests.core.world import How, Medic, Night, refused


def declined(night: Night) -> None:
    night.answer(1, "decline")


def expired(night: Night) -> None:
    night.wait(91)


def stood_down(night: Night) -> None:
    night.leave(1, "engaged")


def failed(night: Night) -> None:
    night.lose(1)
    night.wait(91)


LATE = [declined, expired, stood_down, failed]


def one_asked() -> Night:
    return Night([Medic("late", 60)], wanted=1, better_by_s=100).report()


def then_covered(night: Night, eta_s: int) -> None:
    """Another medic is found, and is on the way."""
    night.near[0].free = False
    night.near.append(Medic("other", eta_s))
    night.more()
    night.accept(2)
    night.near.append(Medic("third", eta_s))
    night.wait(10)
    night.accept(3)
    assert night.state.covered


@pytest.mark.parametrize("late", LATE)
def test_taken_while_somebody_is_missing(late: How) -> None:
    night = one_asked()
    late(night)
    night.accept(1)
    assert night.states()[0] == "accepted"
    assert night.alert(1).reason is None


@pytest.mark.parametrize("late", LATE)
def test_refused_while_covered(late: How) -> None:
    night = one_asked()
    late(night)
    then_covered(night, 60)
    with refused(night, "covered"):
        night.accept(1)


@pytest.mark.parametrize("late", LATE)
def test_taken_while_covered_by_who_is_slower(late: How) -> None:
    night = one_asked()
    late(night)
    then_covered(night, 300)
    night.accept(1)
    assert night.states()[0] == "accepted"


def test_refused_after_enough() -> None:
    night = one_asked()
    night.enough()
    with refused(night, "covered"):
        night.accept(1)


def test_refused_once_the_ambulance_is_there() -> None:
    night = one_asked()
    night.update(ambulance_arrived_at=night.at)
    with refused(night, "covered"):
        night.accept(1)


def test_after_enough_still_taken_when_better_than_who_comes() -> None:
    night = Night([Medic("near", 60), Medic("far", 500)], wanted=2).report()
    night.accept(2)
    night.enough()
    night.accept(1)
    assert night.states() == ["accepted", "accepted"]


@pytest.mark.parametrize("since", ["nothing", "declined"])
def test_never_after_a_suspension(since: str) -> None:
    night = one_asked()
    night.leave(1, "suspended")
    if since == "declined":
        night.answer(1, "decline")
    with refused(night, "ended"):
        night.accept(1)


def test_never_while_she_is_suspended_though_her_alert_had_ended_before() -> None:
    night = one_asked()
    night.wait(night.policy.answer_within_s)
    assert night.states() == ["expired"]
    with refused(night, "ended"):
        night.accept(1, suspended=True)
    night.accept(1)
    assert night.states() == ["accepted"]


def test_never_after_she_no_longer_fits() -> None:
    night = one_asked()
    night.near[0].fits = False
    night.change_kind(night.policy)
    assert night.reasons() == ["changed"]
    with refused(night, "ended"):
        night.accept(1)


def test_an_earlier_alert_after_a_reopen_counts_from_then_on() -> None:
    night = one_asked()
    night.near[0].free = False
    night.close()
    night.reopen()
    night.accept(1)
    assert night.state.covered
