"""Hazard ``block`` and ``code`` stand down accepted and arrived medics too."""

import pytest

from tests.core.world import How, Night

CALL_BACK: dict[str, tuple[How, str]] = {
    "block": (lambda night: night.update(hazard="block"), "unsafe"),
    "code": (lambda night: night.update("code", never_alert=True), "changed"),
}


def coming() -> Night:
    night = Night(2, wanted=3).report()
    night.accept(1)
    night.answer(2, "arrived")
    return night


@pytest.mark.parametrize("why", CALL_BACK)
@pytest.mark.parametrize("held_before", [False, True])
def test_both(why: str, held_before: bool) -> None:
    night = coming()
    if held_before:
        night.update(hazard="hold")
        assert night.states() == ["accepted", "arrived"]
    do, reason = CALL_BACK[why]
    do(night)
    assert night.states() == ["stood_down", "stood_down"]
    assert night.reasons() == [reason, reason]
    assert night.requests(1, "stand_down")


@pytest.mark.parametrize("why", CALL_BACK)
def test_said_again_while_held_for_it_who_arrived_all_the_same_is_called_back(why: str) -> None:
    night = coming()
    do, reason = CALL_BACK[why]
    do(night)
    night.answer(1, "arrived")
    do(night)
    assert (night.alert(1).state, night.alert(1).reason) == ("stood_down", reason)


def test_another_reason_calls_back_nobody() -> None:
    """She came in spite of the block, and waits."""
    night = coming()
    night.update(hazard="block")
    night.answer(1, "arrived")
    night.answer(2, "unsafe")
    assert night.state.held_for == ("hazard", "unsafe")
    assert night.alert(1).state == "arrived"


def test_block_said_again_calls_back_who_came_since() -> None:
    night = coming()
    night.update(hazard="block")
    night.update(hazard="none")
    night.accept(1)
    night.update(hazard="block")
    assert night.alert(1).state == "stood_down"
