"""The clocks of waves and overdue stand still while held; lapse and auto-close run."""

from dispatch.core import events as e
from tests.core.world import Night


def test_nobody_becomes_overdue_while_held() -> None:
    night = Night(1, overdue_s_min=120).report()
    night.accept(1, eta_s=60)
    night.wait(100)
    night.pause()
    night.wait(1000)
    assert not night.all(e.AlertOverdue)
    night.resume()
    night.wait(19)
    assert not night.all(e.AlertOverdue)
    night.wait(1)
    assert night.all(e.AlertOverdue)


def test_held_no_tick_is_owed_for_one_who_can_not_become_overdue() -> None:
    night = Night(1, overdue_s_min=120, engaged_s_max=3600).report()
    night.accept(1, eta_s=60)
    night.wait(100)
    night.pause()
    assert night.due_at == night.at + 3_500_000, "her lapse"


def test_a_wave_is_not_due_while_held() -> None:
    night = Night(9, waves=[(0, 1), (60, 1)]).report(hazard="hold")
    night.wait(1000)
    night.update(hazard="none")
    assert len(night.asked()) == 1


def test_lapse_and_auto_close_run() -> None:
    night = Night(1, engaged_s_max=600, auto_close_s=900).report()
    night.accept(1)
    night.pause()
    night.wait(600)
    assert night.states() == ["finished"]
    night.wait(300)
    assert night.state.state == "closed"
