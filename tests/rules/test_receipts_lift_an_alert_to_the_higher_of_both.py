"""Receipts lift an open alert to the higher of both; after an end, or an answer, they are only recorded."""

from dispatch.core import events as e
from tests.core.world import Night


def test_in_order() -> None:
    night = Night(1).report()
    night.settle(1, "sent")
    assert night.states() == ["sent"]
    night.deliver(1)
    assert night.states() == ["delivered"]
    night.see(1)
    assert night.states() == ["seen"]


def test_out_of_order() -> None:
    night = Night(1).report()
    night.see(1)
    night.settle(1, "sent")
    night.deliver(1)
    assert night.alert(1).state == "seen"


def test_after_an_end_only_recorded() -> None:
    night = Night(1).report()
    night.enough()
    night.settle(1, "delivered", k=1)
    assert night.now(e.AlertDelivered)
    night.see(1)
    assert night.alert(1).state == "stood_down"
    assert night.alert(1).seen_at == night.at


def test_after_an_answer_only_recorded() -> None:
    night = Night(1).report()
    night.accept(1)
    night.deliver(1)
    assert (night.alert(1).state, night.alert(1).delivered_at) == ("accepted", night.at)


def test_delivered_over_two_channels_is_told_once() -> None:
    night = Night(1).report()
    night.wait(20)
    night.deliver(1)
    night.deliver(1, channel="sms")
    assert [event.channel for event in night.all(e.AlertDelivered)] == ["websocket"]


def test_an_update_that_is_delivered_is_not_the_alert() -> None:
    night = Night(1).report()
    night.accept(1)
    night.update(hazard="hold")
    night.deliver(1)
    assert night.now(e.NotificationDelivered)
    assert not night.all(e.AlertDelivered)


def test_seen_twice_is_told_once() -> None:
    night = Night(1).report()
    night.see(1)
    night.see(1)
    assert len(night.all(e.AlertSeen)) == 1


def test_its_channel_is_the_first_that_brought_it_until_an_answer_comes_over_another() -> None:
    night = Night(1).report()
    night.wait(20)
    night.deliver(1, channel="sms")
    night.deliver(1)
    night.see(1)
    assert night.alert(1).channel == "sms"
    night.accept(1)
    assert night.alert(1).channel == "websocket"
    night.leave(1, "deleted")
    assert night.alert(1).channel == "websocket", "what says nothing over a channel leaves it"
