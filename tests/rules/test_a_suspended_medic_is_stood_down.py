"""Suspension stands down open, accepted and arrived alerts; opting out and deletion are her own decline."""

import pytest

from tests.core.world import Night

FIRST = {"open": None, "accepted": "accept", "arrived": "arrived"}
BECOMES = {
    "suspended": {"open": "stood_down", "accepted": "stood_down", "arrived": "stood_down"},
    "opted_out": {"open": "declined", "accepted": "accepted", "arrived": "arrived"},
    "deleted": {"open": "declined", "accepted": "declined", "arrived": "declined"},
}


@pytest.mark.parametrize("why", BECOMES)
@pytest.mark.parametrize("state", FIRST)
def test_what_becomes_of_her_alert(why: str, state: str) -> None:
    night = Night(1).report()
    if (answer := FIRST[state]) is not None:
        night.answer(1, answer)  # type: ignore[arg-type]
    night.near[0].free = False
    night.leave(1, why)  # type: ignore[arg-type]
    assert night.states() == [BECOMES[why][state]]
    if why == "suspended":
        assert night.reasons() == ["suspended"]


@pytest.mark.parametrize("why", BECOMES)
def test_she_is_replaced(why: str) -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.near[0].free = False
    night.leave(1, why)  # type: ignore[arg-type]
    assert night.asked() == ["medic-0", "medic-1"]


@pytest.mark.parametrize("why", BECOMES)
def test_after_the_end_nothing_changes(why: str) -> None:
    night = Night(1).report()
    night.close()
    night.leave(1, why)  # type: ignore[arg-type]
    assert not night.last
