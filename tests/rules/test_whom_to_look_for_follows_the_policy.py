"""The search says what makes a medic available to this incident; the roster finds who is."""

from typing import Any

import pytest

from dispatch.core import commands as c
from dispatch.core.decide import decide
from tests.core.world import START_MS, a_policy


def search(setting: str = "public", drill: bool = False, **keys: Any) -> c.Search:
    policy = a_policy(**keys)
    opening = c.Open(
        at=START_MS,
        by="control_room",
        key="k",
        policy=policy,
        reference="R",
        kind="trauma",
        priority=4,
        setting=setting,  # type: ignore[arg-type]
        drill=drill,
        hazard="none",
        called_at=START_MS,
        ambulance_due_at=None,
        position_good=True,
    )
    found = decide(None, opening).search
    assert found is not None
    return found


def test_the_first_wave_within_reach_over_the_ladders_channels() -> None:
    found = search()
    assert (found.count, found.reach_s, found.channels) == (3, 600, ("websocket", "sms"))
    assert (found.priority, found.drill, found.new_max) == (4, False, 10)


def test_freshness_and_skills_are_the_policys() -> None:
    found = search(fix_stale_s=77, skills_any=("doctor", "nurse"))
    assert (found.fix_stale_s, found.skills_any) == (77, ("doctor", "nurse"))


@pytest.mark.parametrize(
    ("setting", "needs", "cleared_only"),
    [("private", True, True), ("private", False, False), ("public", True, False)],
)
def test_a_private_setting_asks_for_who_is_cleared_for_homes(
    setting: str, needs: bool, cleared_only: bool
) -> None:
    assert search(setting, private_needs_clearance=needs).cleared_only is cleared_only


def test_a_drill_asks_for_who_chose_drills() -> None:
    assert search(drill=True).drill
