"""Lapse: ``engaged_s_max`` after accept, anew from arrival, she is ``finished`` (``by`` timer)."""

from dispatch.core import events as e
from tests.core.world import Night


def test_after_accept() -> None:
    night = Night(1, engaged_s_max=600).report()
    night.wait(30)
    night.accept(1)
    night.wait(599)
    assert night.states()[0] == "accepted"
    night.wait(1)
    assert night.states()[0] == "finished"
    assert night.all(e.AlertAnswered)[-1].by == "timer"


def test_anew_from_arrival() -> None:
    night = Night(1, engaged_s_max=600).report()
    night.accept(1)
    night.wait(500)
    night.answer(1, "arrived")
    night.wait(599)
    assert night.states()[0] == "arrived"
    night.wait(1)
    assert night.states()[0] == "finished"


def test_held_too() -> None:
    night = Night(1, engaged_s_max=600).report()
    night.accept(1)
    night.pause()
    night.wait(600)
    assert night.states() == ["finished"]


def test_a_forgotten_button_rings_no_more_phones_than_one_medic_gone() -> None:
    night = Night(40, waves=[(0, 3)], alerts_max=40).report()
    night.accept(1, eta_s=60)
    rung = len(night.asked())
    night.wait(120)
    assert night.alert(1).overdue
    assert len(night.asked()) - rung == 3, "the three that were due, less none on the way"
