"""A definite failure brings the next rung at once; anything else leaves it to its own time."""

from tests.core.world import Medic, Night


def test_definite() -> None:
    night = Night(1).report()
    night.wait(3)
    night.settle(1, "failed", definite=True, reason="gone")
    assert night.requests(1, "alert")[1:] == [("sms", 3)]


def test_unknown() -> None:
    night = Night(1).report()
    night.wait(3)
    night.settle(1, "failed", definite=False, reason="timeout")
    assert night.requests(1, "alert")[1:] == []
    night.wait(17)
    assert night.requests(1, "alert")[1:] == [("sms", 20)]


def test_unknown_at_first_and_certain_later() -> None:
    night = Night(1).report()
    night.settle(1, "failed", definite=False)
    night.wait(5)
    night.settle(1, "failed", definite=True)
    assert night.requests(1, "alert")[1:] == [("sms", 5)]


def test_a_middle_rung_that_fails_does_not_hurry_past_one_still_under_way() -> None:
    ladder = [("websocket", 0), ("webpush", 5), ("sms", 20)]
    night = Night([Medic("m", 60, ("websocket", "sms"))], ladder=ladder).report()
    night.wait(60)
    assert night.requests(1, "alert") == [("websocket", 0), ("sms", 20)]


def test_what_was_delivered_is_not_failed_by_a_later_word() -> None:
    night = Night(1).report()
    night.deliver(1)
    night.settle(1, "failed", definite=True)
    assert not night.last


def test_a_repeated_outcome_changes_nothing() -> None:
    night = Night(1).report()
    night.settle(1, "sent")
    night.settle(1, "sent")
    assert not night.last
