"""Her accept elsewhere ends what she has here (stood down, ``engaged``), and she is replaced here at once."""

import pytest

from tests.core.world import Night


def test_an_open_alert_is_stood_down_and_replaced() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.near[0].free = False
    night.leave(1, "engaged")
    assert night.states() == ["stood_down", "requested"]
    assert night.reasons() == ["engaged", None]


def test_an_accepted_one_too() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.accept(1)
    night.near[0].free = False
    night.leave(1, "engaged")
    assert night.states() == ["stood_down", "requested"]


@pytest.mark.parametrize("answer", ["decline", "finished"])
def test_what_has_ended_stays_as_it_is(answer: str) -> None:
    night = Night(1).report()
    night.accept(1)
    night.answer(1, answer)  # type: ignore[arg-type]
    before = night.states()
    night.leave(1, "engaged")
    assert (night.states(), night.last) == (before, ())
