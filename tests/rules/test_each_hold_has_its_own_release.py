"""What makes each reason to hold go, and that nothing else does."""

from typing import Any

import pytest

from tests.core.world import START_MS, Night

HELD: dict[str, dict[str, Any]] = {
    "hazard": {"hazard": "hold"},
    "code": {"never_alert": True},
    "stale": {"called_at": START_MS - 10_000_000},
    "position": {"position_good": False},
    "unsafe": {},
    "paused": {"paused": True},
}

DO = {
    "hazard none": lambda night: night.update(hazard="none"),
    "new kind": lambda night: night.update(kind="other"),
    "new code": lambda night: night.update("code", never_alert=False),
    "good position": lambda night: night.move(position_good=True),
    "address": lambda night: night.update("address", position_good=True),
    "more": lambda night: night.more(),
    "resume": lambda night: night.resume(),
    "poor position": lambda night: night.move(position_good=False),
    "details": lambda night: night.update("details"),
    "enough": lambda night: night.enough(),
    "pause": lambda night: night.tick(),
}

RELEASES = {
    "hazard": {"hazard none"},
    "code": {"new kind", "new code"},
    "stale": {"more"},
    "position": {"good position", "address", "more"},
    "unsafe": {"hazard none"},
    "paused": {"resume"},
}


@pytest.mark.parametrize("reason", HELD)
@pytest.mark.parametrize("what", DO)
def test_released_by_this_and_not_by_that(reason: str, what: str) -> None:
    night = Night(3).report(**HELD[reason])
    if reason == "unsafe":
        night.answer(1, "unsafe")
    assert night.state.held_for == (reason,)
    DO[what](night)
    assert (night.state.state == "open") == (what in RELEASES[reason])


def test_more_releases_only_what_it_can() -> None:
    night = Night(3).report(hazard="hold", position_good=False, called_at=START_MS - 10_000_000)
    night.more()
    assert night.state.held_for == ("hazard",)
