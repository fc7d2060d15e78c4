"""What uncovers an incident starts asking again, in the same decision."""

import pytest

from dispatch.core import events as e
from tests.core.world import How, Night


def withdraw(night: Night) -> None:
    night.answer(1, "decline")


def overdue(night: Night) -> None:
    night.wait(120)


def suspend(night: Night) -> None:
    night.near[0].free = False
    night.leave(1, "suspended")


def more(night: Night) -> None:
    night.more()


@pytest.mark.parametrize("how", [withdraw, overdue, suspend, more])
def test_asked_at_once(how: How) -> None:
    night = Night(4, waves=[(0, 1)]).report()
    night.accept(1, eta_s=60)
    assert night.now(e.IncidentCovered)
    how(night)
    assert not night.state.covered
    assert len(night.now(e.IncidentUncovered)) == 1
    assert night.now(e.AlertRequested)


def test_a_lapse_without_arrival_uncovers() -> None:
    night = Night(4, waves=[(0, 1)], overdue_s_min=9000).report()
    night.accept(1)
    night.wait(3600)
    assert [event.on_the_way for event in night.all(e.IncidentUncovered)] == [0]
    assert night.asked() == ["medic-0", "medic-1"]


def test_one_of_three_wanted_gone_asks_again() -> None:
    night = Night(6, waves=[(0, 3)], wanted=3).report()
    for n in (1, 2, 3):
        night.accept(n)
    night.answer(2, "decline")
    assert night.asked()[3:] == ["medic-3"]


@pytest.mark.parametrize("end", [Night.cancel, Night.close])
def test_its_end_does_not(end: How) -> None:
    """Whoever was coming is stood down, and nobody is missed any more."""
    night = Night(4, waves=[(0, 1)]).report()
    night.accept(1)
    end(night)
    assert night.states() == ["stood_down"]
    assert not night.all(e.IncidentUncovered)
