"""Arrived is taken from any state while the incident is live, also without accept and after a stand-down."""

import pytest

from dispatch.core.answers import has_arrived
from tests.core.world import How, Night, a_policy, refused


def from_open(night: Night) -> None:
    """As it is."""


def from_accepted(night: Night) -> None:
    night.accept(1)


def from_declined(night: Night) -> None:
    night.answer(1, "decline")


def from_expired(night: Night) -> None:
    night.wait(91)


def from_stood_down(night: Night) -> None:
    night.enough()


def from_suspended(night: Night) -> None:
    night.leave(1, "suspended")


def from_failed(night: Night) -> None:
    night.lose(1)
    night.wait(91)


STATES = [
    from_open,
    from_accepted,
    from_declined,
    from_expired,
    from_stood_down,
    from_suspended,
    from_failed,
]


@pytest.mark.parametrize("came_from", STATES)
@pytest.mark.parametrize("held", [False, True])
def test_from_any_state(came_from: How, held: bool) -> None:
    night = Night(1).report()
    came_from(night)
    if held:
        night.pause()
    night.answer(1, "arrived")
    assert night.states() == ["arrived"]
    assert night.state.covered


def test_a_fix_near_it_arrives_without_pressing() -> None:
    night = Night(1).report()
    night.accept(1)
    night.answer(1, "arrived", by="timer")
    assert night.states() == ["arrived"]


@pytest.mark.parametrize("came_from", [state for state in STATES if state is not from_accepted])
def test_a_fix_near_it_says_nothing_of_one_who_has_not_accepted(came_from: How) -> None:
    """She declined and happens to pass by, or her fix was taken up after her withdrawal."""
    night = Night(1).report()
    night.near[0].free = False
    came_from(night)
    before = night.states()
    night.answer(1, "arrived", by="timer")
    assert (night.states(), night.last) == (before, ())


def test_after_she_finished_it_changes_nothing() -> None:
    night = Night(1).report()
    night.answer(1, "arrived")
    night.answer(1, "finished")
    night.answer(1, "arrived")
    assert (night.states(), night.last) == (["finished"], ())


def test_not_after_the_end() -> None:
    night = Night(1).report()
    night.close()
    with refused(night, "ended"):
        night.answer(1, "arrived")


@pytest.mark.parametrize(
    ("distance_m", "accuracy_m", "arrived"),
    [(100, 100, True), (100.1, 10, False), (10, 100.1, False), (10, None, False)],
)
def test_what_near_it_means(distance_m: float, accuracy_m: float | None, arrived: bool) -> None:
    policy = a_policy(near_m=100)
    assert has_arrived(policy, distance_m=distance_m, accuracy_m=accuracy_m) is arrived
