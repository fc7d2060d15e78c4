"""Decline after accept is a withdrawal: she no longer comes, is replaced, and is not asked again."""

from tests.core.world import Night


def test_she_no_longer_counts_and_is_replaced() -> None:
    night = Night(2, waves=[(0, 1)], replace=False).report()
    night.accept(1)
    night.answer(1, "decline")
    assert night.states() == ["declined", "requested"]


def test_her_second_thought_is_taken_while_somebody_is_missing() -> None:
    night = Night(1).report()
    night.accept(1)
    night.answer(1, "decline")
    night.accept(1)
    assert night.states() == ["accepted"]


def test_who_left_the_scene_and_comes_again_is_not_there_yet() -> None:
    """Nobody beats one who has arrived; somebody may well beat one who is on her way back."""
    night = Night(2, waves=[(0, 2)], better_by_s=0).report()
    night.answer(2, "arrived")
    night.answer(2, "decline")
    night.accept(2, eta_s=500)
    assert night.state.covered
    night.accept(1, eta_s=10)
    assert night.state.newest_of(1).state == "accepted"
