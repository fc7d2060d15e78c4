"""Lost: every rung failed definitely, nothing delivered; replaced at once, still deliverable."""

from dispatch.core import events as e
from dispatch.core.waves import is_lost
from tests.core.world import Night


def lost(near: int = 2) -> Night:
    night = Night(near, waves=[(0, 1)]).report()
    night.lose(1)
    return night


def test_replaced_at_once() -> None:
    night = lost()
    assert is_lost(night.alert(1), night.policy)
    assert night.asked() == ["medic-0", "medic-1"]


def test_not_while_a_rung_is_still_to_come() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.settle(1, "failed", definite=True)
    assert night.asked() == ["medic-0"]


def test_not_with_an_unknown_outcome() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.settle(1, "failed", definite=False)
    night.wait(20)
    night.settle(1, "failed", definite=True, channel="sms")
    assert night.asked() == ["medic-0"]


def test_not_with_an_unknown_outcome_before_a_socket_came_and_went() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.settle(1, "failed", definite=False)
    night.socket(1)
    night.settle(1, "failed", definite=True)
    night.wait(20)
    night.settle(1, "failed", definite=True, channel="sms")
    assert night.asked() == ["medic-0"]


def test_not_once_delivered() -> None:
    night = Night(2, waves=[(0, 1)]).report()
    night.deliver(1)
    night.wait(20)
    night.settle(1, "failed", definite=True, channel="sms")
    assert night.asked() == ["medic-0"]


def test_it_stays_open_and_reaches_a_socket_that_appears() -> None:
    night = lost()
    night.socket(1)
    assert night.requests(1, "alert")[-1] == ("websocket", 0)
    night.deliver(1)
    assert night.alert(1).state == "delivered"
    night.accept(1)
    assert night.alert(1).state == "accepted"


def test_undelivered_it_ends_failed_at_its_time() -> None:
    night = lost(near=1)
    night.wait(90)
    assert night.states() == ["failed"]
    assert not night.all(e.AlertExpired)


def test_delivered_after_all_it_expires_instead() -> None:
    night = lost(near=1)
    night.socket(1)
    night.deliver(1)
    night.wait(90)
    assert night.states() == ["expired"]


def test_seen_all_the_same_it_expires_instead() -> None:
    """Her device had read of it by itself."""
    night = lost(near=1)
    night.see(1)
    assert not is_lost(night.alert(1), night.policy)
    night.wait(90)
    assert night.states() == ["expired"]


def test_a_provider_that_fails_them_all_rings_at_most_alerts_max_phones() -> None:
    night = Night(40, waves=[(0, 3)], alerts_max=8).report()
    n = 1
    while n <= len(night.asked()):
        night.lose(n)
        n += 1
    assert len(night.asked()) == 8
