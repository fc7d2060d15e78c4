"""Held, for a set of reasons: hazard, code, stale and position (at opening only), unsafe, paused."""

from typing import Any

import pytest

from dispatch.core import events as e
from tests.core.world import START_MS, Night

AT_OPENING: dict[str, dict[str, Any]] = {
    "hazard": {"hazard": "hold"},
    "code": {"never_alert": True},
    "stale": {"called_at": START_MS - 900_001},
    "position": {"position_good": False},
    "paused": {"paused": True},
}


@pytest.mark.parametrize("reason", AT_OPENING)
def test_at_opening_nobody_is_asked(reason: str) -> None:
    night = Night(3).report(**AT_OPENING[reason])
    assert (night.state.state, night.state.held_for) == ("held", (reason,))
    night.wait(300)
    assert night.asked() == []
    assert night.looks == 0


def test_all_at_once() -> None:
    about: dict[str, Any] = {}
    for given in AT_OPENING.values():
        about |= given
    night = Night(3).report(**about)
    assert set(night.state.held_for) == set(AT_OPENING)


def test_a_call_exactly_stale_after_s_old_is_not_stale() -> None:
    assert Night(3).report(called_at=START_MS - 900_000).state.state == "open"


def test_stale_and_position_are_judged_at_opening_only() -> None:
    night = Night(3).report()
    night.wait(1000)
    night.move(position_good=False)
    assert night.state.state == "open"


def test_the_last_reason_to_go_releases() -> None:
    night = Night(3).report(hazard="hold", never_alert=True)
    night.update(hazard="none")
    assert night.state.held_for == ("code",)
    night.update(kind="trauma", never_alert=False)
    assert night.state.state == "open"
    assert len(night.asked()) == 3


def test_every_change_while_one_stands_is_written_with_all_that_stand() -> None:
    night = Night(1).report(hazard="hold")
    night.pause()
    night.update(hazard="none")
    night.resume()
    assert [event.reasons for event in night.all(e.IncidentHeld)] == [
        ("hazard",),
        ("hazard", "paused"),
        ("paused",),
    ]
    assert len(night.all(e.IncidentReleased)) == 1
