"""``paused`` goes with ``db resume``, and it sends nothing at all meanwhile."""

from dispatch.core import events as e
from tests.core.world import Night


def coming() -> Night:
    night = Night(2, wanted=2).report()
    night.accept(1)
    night.pause()
    return night


def test_neither_the_stand_down_nor_the_update() -> None:
    night = coming()
    assert night.states() == ["accepted", "stood_down"]
    night.socket(1)
    night.socket(2)
    night.move()
    night.wait(300)
    night.close()
    assert not night.requests(1, "update")
    assert not night.requests(1, "stand_down")
    assert not night.requests(2, "stand_down")


def test_nor_what_had_failed_to_a_socket_that_appears() -> None:
    night = Night(1).report()
    night.accept(1)
    night.update(hazard="hold")
    night.settle(1, "failed", definite=True)
    night.pause()
    night.socket(1)
    assert not night.last
    night.resume()
    night.socket(1)
    assert len(night.requests(1, "update")) == 2


def test_what_is_owed_goes_when_it_is_resumed() -> None:
    night = coming()
    night.wait(300)
    night.resume()
    assert len(night.requests(1, "update")) == 1
    assert len(night.requests(2, "stand_down")) == 1


def test_an_incident_ended_while_paused_tells_its_medics_then() -> None:
    night = coming()
    night.close()
    night.wait(100)
    night.resume()
    assert night.state.state == "closed"
    assert len(night.requests(1, "stand_down")) == 1


def test_paused_while_held_for_another_reason_it_stays_held() -> None:
    night = Night(2).report(hazard="hold")
    night.pause()
    night.resume()
    assert night.state.held_for == ("hazard",)


def test_a_repeat_changes_nothing() -> None:
    night = coming()
    night.pause()
    assert not night.last
    night.resume()
    night.resume()
    assert not night.now(e.IncidentReleased)
