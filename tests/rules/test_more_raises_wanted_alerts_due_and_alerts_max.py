"""More raises ``wanted``, the alerts due and ``alerts_max`` by ``count``, and ends enough."""

from dispatch.core.incident import wanted
from tests.core.world import Night


def test_wanted() -> None:
    night = Night(3, wanted=2).report()
    night.more(3)
    night.more(1)
    assert wanted(night.state, night.policy) == 6


def test_the_alerts_due() -> None:
    night = Night(9, waves=[(0, 2)]).report()
    night.more(3)
    assert len(night.asked()) == 5


def test_alerts_max() -> None:
    night = Night(9, waves=[(0, 2)], alerts_max=2).report()
    night.more(3)
    assert len(night.asked()) == 5
    night.answer(1, "decline")
    assert len(night.asked()) == 5


def test_it_ends_enough() -> None:
    night = Night(9, waves=[(0, 2)]).report()
    night.enough()
    night.more(1)
    assert night.state.asking
    assert len(night.asked()) == 5, "the two stood down are asked again, and one more"


def test_it_ends_the_ambulances_arrival_too() -> None:
    night = Night(9, waves=[(0, 2)]).report()
    night.update(ambulance_arrived_at=night.at)
    night.more(1)
    assert night.state.asking


def test_covered_it_asks_again() -> None:
    night = Night(9, waves=[(0, 1)]).report()
    night.accept(1)
    night.more(2)
    assert not night.state.covered
    assert len(night.asked()) == 3
