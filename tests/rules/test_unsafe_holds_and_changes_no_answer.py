"""Unsafe, from any alerted medic in any state while live, holds; a repeat does nothing."""

import pytest

from dispatch.core import events as e
from tests.core.world import Night, refused


def finish(night: Night) -> None:
    night.accept(1)
    night.answer(1, "finished")


def fail(night: Night) -> None:
    night.lose(1)
    night.wait(91)


STATES = {
    "finished": finish,
    "failed": fail,
    "told to stop": lambda night: night.enough(),
    "accepted": lambda night: night.accept(1),
    "arrived": lambda night: night.answer(1, "arrived"),
    "declined": lambda night: night.answer(1, "decline"),
    "expired": lambda night: night.wait(91),
    "suspended": lambda night: night.leave(1, "suspended"),
}


@pytest.mark.parametrize("state", STATES)
def test_from_any_state_and_her_answer_stays(state: str) -> None:
    night = Night(1).report()
    STATES[state](night)
    before = night.alert(1).state
    night.answer(1, "unsafe")
    assert night.state.held_for == ("unsafe",)
    assert night.alert(1).state == before


def test_her_own_open_alert_is_taken_back_like_all_others() -> None:
    night = Night(2).report()
    night.answer(1, "unsafe")
    assert night.states() == ["stood_down", "stood_down"]
    assert night.reasons() == ["unsafe", "unsafe"]


def test_who_said_so_is_told() -> None:
    night = Night(2).report()
    night.answer(2, "unsafe")
    assert [(event.n, event.answer, event.by) for event in night.all(e.AlertAnswered)] == [
        (2, "unsafe", "medic")
    ]


def test_a_repeat_does_nothing() -> None:
    night = Night(2).report()
    night.answer(1, "unsafe")
    night.answer(2, "unsafe")
    assert not night.last


def test_while_held_for_something_else_it_is_one_more_reason() -> None:
    night = Night(2).report()
    night.pause()
    night.answer(1, "unsafe")
    assert night.state.held_for == ("paused", "unsafe")


def test_after_a_release_it_holds_again() -> None:
    night = Night(2).report()
    night.answer(1, "unsafe")
    night.update(hazard="none")
    night.answer(2, "unsafe")
    assert night.state.state == "held"
    assert len(night.all(e.IncidentHeld)) == 2


def test_refused_after_the_end() -> None:
    night = Night(1).report()
    night.cancel()
    with refused(night, "ended"):
        night.answer(1, "unsafe")
