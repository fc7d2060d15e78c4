"""The ambulance's arrival works as enough, with reason ``ambulance``."""

from dispatch.core.incident import alerting_state
from tests.core.world import Night


def test_open_alerts_are_stood_down_and_nobody_is_asked() -> None:
    night = Night(9, wanted=2).report()
    night.accept(1)
    night.update(ambulance_arrived_at=night.at)
    assert night.states() == ["accepted", "stood_down", "stood_down"]
    assert night.reasons()[1:] == ["ambulance", "ambulance"]
    night.wait(300)
    assert len(night.asked()) == 3
    assert alerting_state(night.state) == "ended"


def test_when_it_is_due_decides_nothing_here() -> None:
    night = Night(9).report()
    night.update(ambulance_due_at=night.at + 1000)
    assert night.states() == ["requested"] * 3
