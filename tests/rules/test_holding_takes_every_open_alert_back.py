"""Nobody keeps an open alert: holding stands them down (``unsafe``; ``changed`` for ``code``)."""

import pytest

from dispatch.core.lifecycle import OPEN
from tests.core.world import How, Night

HOLDS: dict[str, tuple[How, str]] = {
    "hazard": (lambda night: night.update(hazard="hold"), "unsafe"),
    "block": (lambda night: night.update(hazard="block"), "unsafe"),
    "unsafe": (lambda night: night.answer(1, "unsafe"), "unsafe"),
    "paused": (lambda night: night.pause(), "unsafe"),
    "code": (lambda night: night.update("code", never_alert=True), "changed"),
}


@pytest.mark.parametrize("why", HOLDS)
def test_all_open_ones_with_the_reason(why: str) -> None:
    night = Night(3).report()
    night.deliver(2)
    night.see(3)
    do, reason = HOLDS[why]
    do(night)
    assert night.states() == ["stood_down"] * 3
    assert night.reasons() == [reason] * 3


def test_a_hold_and_its_release_ring_nobody_twice_beyond_asks_max_nor_more_than_before() -> None:
    night = Night(40, asks_max=2).report()
    night.pause()
    night.resume()
    assert night.asked()[3:] == night.asked()[:3], "the same three, not three more"
    night.pause()
    night.resume()
    assert len(night.asked()) == 9
    assert not set(night.asked()[6:]) & set(night.asked()[:6])


def test_while_held_no_alert_is_open() -> None:
    night = Night(3).report()
    night.answer(1, "unsafe")
    night.wait(500)
    assert not any(state in OPEN for state in night.states())
    assert len(night.asked()) == 3
