"""Expired: nothing is sent, her button stays; told to stop it is stood down, once, never by SMS."""

import pytest

from dispatch.core import events as e
from tests.core.world import Night


def expired(*, delivered: bool) -> Night:
    night = Night(1, waves=[(0, 2)]).report()
    night.settle(1, "sent")
    night.wait(20)
    night.settle(1, "sent", channel="sms")
    if delivered:
        night.deliver(1, channel="sms")
    night.wait(71)
    assert night.states() == ["expired"]
    return night


def test_nothing_is_sent() -> None:
    night = expired(delivered=True)
    assert not night.now(e.NotificationRequested)
    night.socket(1)
    assert not night.last


def test_it_expires_when_its_time_is_up_not_before() -> None:
    night = Night(1, answer_within_s=90).report()
    night.wait(89.999)
    assert night.states() == ["requested"]
    night.wait(0.001)
    assert night.states() == ["expired"]


CAUSES = {
    "enough": lambda night: night.enough(),
    "hold": lambda night: night.update(hazard="hold"),
    "block": lambda night: night.update(hazard="block"),
    "cancel": lambda night: night.cancel(),
    "close": lambda night: night.close(),
    "ambulance": lambda night: night.update(ambulance_arrived_at=night.at),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_delivered_it_is_told_to_stop_once_and_never_by_sms(cause: str) -> None:
    night = expired(delivered=True)
    CAUSES[cause](night)
    assert night.states() == ["stood_down"]
    night.settle(1, "failed", definite=True)
    night.wait(300)
    assert [channel for channel, _ in night.requests(1, "stand_down")] == ["websocket"]
    if night.state.live:
        night.close()
        assert len(night.all(e.AlertStoodDown)) == 1


@pytest.mark.parametrize("cause", CAUSES)
def test_never_delivered_it_stays_expired(cause: str) -> None:
    night = expired(delivered=False)
    CAUSES[cause](night)
    assert night.states() == ["expired"]


def test_a_move_or_a_suspension_leaves_it() -> None:
    night = expired(delivered=True)
    night.move()
    night.leave(1, "suspended")
    assert night.states() == ["expired"]


def test_her_decline_is_still_taken() -> None:
    night = expired(delivered=True)
    night.answer(1, "decline")
    assert night.states() == ["declined"]
