"""Refused, in this order: ``ended``, ``held``, ``engaged``, ``covered``."""

from tests.core.world import Night, refused


def covered_and_stood_down() -> Night:
    """Alert 2 has been stood down, and the incident is covered."""
    night = Night(2, waves=[(0, 2)]).report()
    night.accept(1)
    return night


def test_covered_last() -> None:
    night = covered_and_stood_down()
    with refused(night, "covered"):
        night.accept(2)


def test_engaged_before_covered() -> None:
    night = covered_and_stood_down()
    with refused(night, "engaged"):
        night.accept(2, engaged=True)


def test_held_before_engaged() -> None:
    night = covered_and_stood_down()
    night.pause()
    with refused(night, "held"):
        night.accept(2, engaged=True)


def test_ended_before_held() -> None:
    night = Night(1).report()
    night.leave(1, "suspended")
    night.pause()
    with refused(night, "ended"):
        night.accept(1, engaged=True)


def test_ended_once_the_incident_has() -> None:
    night = covered_and_stood_down()
    night.close()
    with refused(night, "ended"):
        night.accept(2, engaged=True)


def test_engaged_also_for_an_open_alert() -> None:
    night = Night(1).report()
    with refused(night, "engaged"):
        night.accept(1, engaged=True)
