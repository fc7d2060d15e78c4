"""A device has an alert that had certainly failed, by a node of which the deciding one knew nothing.

Found by the fault simulator: the receipt was not taken, and she was never told to stop.
"""

from dispatch.core import commands as c
from dispatch.core import events as e
from tests.core.world import Night


def receipt(night: Night) -> None:
    """Her device acknowledges the first notification of alert 1."""
    night.do(c.Settle, by="medic", n=1, k=1, result="delivered")


def by_socket(night: Night, kind: type[e.NotificationRequested | e.NotificationDelivered]) -> list[str]:
    return [event.purpose for event in night.all(kind) if event.channel == "websocket"]


def test_its_receipt_counts() -> None:
    night = Night(1).report()
    night.settle(1, "failed", reason="no_socket", definite=True)
    receipt(night)
    assert by_socket(night, e.NotificationDelivered) == ["alert"]
    assert night.alert(1).state == "delivered"


def test_one_who_was_stood_down_meanwhile_is_told_to_stop() -> None:
    night = Night(1).report()
    night.settle(1, "failed", reason="no_socket", definite=True)
    night.settle(1, "failed", channel="sms", reason="blocked", definite=True)
    night.close()
    assert by_socket(night, e.NotificationRequested) == ["alert"], "nobody knows that she has it"
    receipt(night)
    assert by_socket(night, e.NotificationRequested) == ["alert", "stand_down"]


def test_what_could_not_be_told_before_is_asked_for_anew() -> None:
    night = Night(1).report()
    night.close()
    night.settle(1, "failed", k=2, reason="no_socket", definite=True)
    receipt(night)
    assert by_socket(night, e.NotificationRequested) == ["alert", "stand_down", "stand_down"]


def test_an_sms_that_was_delivered_is_no_socket() -> None:
    night = Night(1).report()
    night.settle(1, "failed", reason="no_socket", definite=True)
    night.deliver(1, channel="sms")
    assert by_socket(night, e.NotificationRequested) == ["alert"]


def test_a_providers_word_is_not_hers() -> None:
    night = Night(1).report()
    night.settle(1, "failed", reason="no_socket", definite=True)
    night.settle(1, "delivered", k=1)
    assert not by_socket(night, e.NotificationDelivered)
