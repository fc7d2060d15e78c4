"""Each rule is changed under the code of today; lives that were lived by the old one show where they part."""

from collections.abc import Callable
from typing import Any

import pytest
from recorded import Recorder, recorded

from dispatch.core import answers, ladder, stand_down, timers, waves
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.replay.again import Replayed, replay

SEEDS = range(25)


@pytest.fixture(scope="module")
def lives() -> list[Recorder]:
    return [recorded(seed) for seed in SEEDS]


def parted(lives: list[Recorder]) -> list[Replayed]:
    found = [one for life in lives for one in replay(life.rows, life.policies)]
    assert {one.verdict for one in found} <= {"same", "different"}
    return [one for one in found if one.verdict == "different"]


def refuses(*_: Any) -> None:
    raise c.Refused("covered")


RULES: list[tuple[Any, str, Callable[..., Any], type[e.Event]]] = [
    (
        waves,
        "choose",
        lambda found, state, search: waves.eligible(found, state, search)[::-1][: search.count],
        e.AlertRequested,
    ),
    (waves, "choose", lambda *_: [], e.WaveDecided),
    (stand_down, "beats_best", lambda *_: True, e.AlertStoodDown),
    (ladder, "request", lambda *_: None, e.NotificationRequested),
    (timers, "is_lost", lambda *_: False, e.AlertFailed),
    (answers, "_check_accept", refuses, e.AlertAnswered),
]


@pytest.mark.parametrize(("module", "rule", "changed", "kind"), RULES)
def test_told(
    lives: list[Recorder],
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    rule: str,
    changed: Callable[..., Any],
    kind: type[e.Event],
) -> None:
    monkeypatch.setattr(module, rule, changed)
    found = parted(lives)
    differences = [one.difference for one in found if one.difference is not None]
    assert len(differences) == len(found) > 0
    assert any(isinstance(difference.recorded, kind) for difference in differences)
    for one, difference in zip(found, differences, strict=True):
        then = one.decided.events[difference.seq - one.decided.seq]
        assert then == difference.recorded != difference.today


def test_a_look_that_was_not_made_then_is_told(
    lives: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = waves.alerts_due
    monkeypatch.setattr(waves, "alerts_due", lambda *situation: plain(*situation) + 5)
    assert any(one.difference and one.difference.looks_for for one in parted(lives))


def test_a_changed_policy_of_today_changes_nothing(lives: list[Recorder]) -> None:
    """An incident keeps the policy it was opened with; without it there is nothing to check by."""
    assert parted(lives) == []
    found = list(replay(lives[0].rows, {}))
    assert {one.verdict for one in found} == {"not_checkable"}
    assert "is not kept" in found[0].why


def test_what_was_deleted_is_not_checkable_and_the_rest_is(lives: list[Recorder]) -> None:
    for life in lives:
        rows = [type(row)(row.seq, row.events, None if row.inputs is None else b"") for row in life.rows]
        for one in replay(rows, life.policies):
            if one.decided.inputs is None:
                assert one.verdict == "same"
            elif any(isinstance(event, e.WaveDecided) for event in one.decided.events):
                assert (one.verdict, one.why) == ("not_checkable", "what it knew has been deleted")
