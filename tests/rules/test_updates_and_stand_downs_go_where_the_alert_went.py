"""Updates and stand-downs go to her sockets, and by SMS where the alert's SMS was not definitely unsent.

But an update not where the alert was sent by SMS after it was decided, and so says it.
"""

from tests.core.world import Night, a_policy


def told_by_sms(outcome: str | None, **about: bool) -> Night:
    """One alerted by socket and SMS, then told to stop."""
    night = Night(1).report()
    night.settle(1, "failed", definite=True)
    if outcome is not None:
        night.settle(1, outcome, channel="sms", **about)  # type: ignore[arg-type]
    night.enough()
    return night


def test_their_first_rung_goes_at_once() -> None:
    night = told_by_sms("sent")
    assert night.requests(1, "stand_down") == [("websocket", 0)]


def test_then_sms_at_its_time_where_nothing_was_delivered() -> None:
    night = told_by_sms("sent")
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0), ("sms", 20)]


def test_or_at_once_when_she_has_no_socket() -> None:
    night = told_by_sms("sent")
    night.settle(1, "failed", definite=True)
    assert night.requests(1, "stand_down") == [("websocket", 0), ("sms", 0)]


def test_delivered_stops_them() -> None:
    night = told_by_sms("sent")
    night.deliver(1)
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0)]


def test_no_sms_where_none_brought_the_alert() -> None:
    night = Night(1).report()
    night.enough()
    night.settle(1, "failed", definite=True)
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0)]


def test_no_sms_where_the_alerts_was_definitely_unsent() -> None:
    night = told_by_sms(None)
    night.settle(1, "failed", definite=True, channel="websocket")
    night.settle(1, "failed", definite=True, channel="sms")
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0)]


def test_no_sms_to_who_knows_by_her_device_where_the_alerts_was_definitely_unsent() -> None:
    night = Night(1).report()
    night.settle(1, "sent")
    night.wait(20)
    night.settle(1, "failed", definite=True, channel="sms")
    night.enough()
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 20)]


def test_by_sms_where_it_is_unknown_whether_the_alert_went_out() -> None:
    night = told_by_sms("failed", definite=False)
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0), ("sms", 20)]


def test_a_pending_outcome_is_awaited_first() -> None:
    night = told_by_sms(None)
    night.wait(60)
    assert night.requests(1, "stand_down") == [("websocket", 0)]
    night.settle(1, "sent", channel="sms")
    assert night.requests(1, "stand_down")[1:] == [("sms", 60)]


def test_who_was_reached_by_nothing_and_never_answered_is_told_nothing() -> None:
    night = Night(1).report()
    night.lose(1)
    night.enough()
    assert not night.requests(1, "stand_down")


def test_who_answered_is_told_though_no_notification_reached_her() -> None:
    night = Night(1).report()
    night.lose(1)
    night.accept(1)
    night.cancel()
    assert night.requests(1, "stand_down") == [("websocket", 0)]


def test_by_sms_too_where_a_new_kinds_ladder_has_none() -> None:
    night = Night(1).report()
    night.wait(20)
    night.settle(1, "sent", channel="sms")
    night.accept(1)
    night.change_kind(a_policy(ladder=[("websocket", 0)]))
    night.cancel()
    night.settle(1, "failed", definite=True)
    assert [channel for channel, _ in night.requests(1, "stand_down")] == ["websocket", "sms"]


def test_who_shows_only_later_that_she_knew_is_told_then() -> None:
    """Her device read of the alert by itself, though no notification had reached it."""
    night = Night(1).report()
    night.lose(1)
    night.enough()
    night.wait(5)
    night.see(1)
    assert night.requests(1, "stand_down") == [("websocket", 5)]


def test_her_sockets_too_where_the_ladder_has_only_sms() -> None:
    night = Night(1, ladder=[("sms", 0)]).report()
    night.settle(1, "sent", channel="sms")
    night.enough()
    assert night.requests(1, "stand_down") == [("websocket", 0), ("sms", 0)]


def test_her_sockets_at_once_too_where_the_ladder_has_them_after_sms() -> None:
    """Delivered as an SMS it goes no further, and her device would show the alert, and ring again."""
    night = Night(1, ladder=[("sms", 0), ("websocket", 5)]).report()
    night.settle(1, "sent", channel="sms")
    night.wait(5)
    night.settle(1, "sent", channel="websocket")
    night.enough()
    assert night.requests(1, "stand_down") == [("websocket", 5), ("sms", 5)]


def corrected_before_the_sms(outcome: str, **about: bool) -> Night:
    """Her device is silent; the address is corrected; then the alert goes by SMS, with the new address."""
    night = Night(1).report()
    night.settle(1, "sent")
    night.wait(5)
    night.update("address")
    night.wait(30)
    assert night.requests(1, "alert") == [("websocket", 0), ("sms", 20)]
    night.settle(1, outcome, channel="sms", **about)  # type: ignore[arg-type]
    night.wait(10)
    return night


def test_no_sms_of_an_update_where_the_alerts_own_says_it() -> None:
    for outcome in ("sent", "delivered"):
        night = corrected_before_the_sms(outcome)
        assert night.requests(1, "update") == [("websocket", 5)]


def test_by_sms_where_it_is_unknown_whether_the_alert_that_says_it_went_out() -> None:
    night = corrected_before_the_sms("failed", definite=False)
    assert night.requests(1, "update") == [("websocket", 5), ("sms", 35)]
    night = corrected_before_the_sms("sent")
    night.settle(1, "failed", channel="sms", definite=False)
    assert night.requests(1, "update") == [("websocket", 5), ("sms", 45)]


def test_by_sms_again_where_it_is_corrected_once_more() -> None:
    night = corrected_before_the_sms("sent")
    night.update("address")
    night.wait(30)
    assert night.requests(1, "update") == [("websocket", 5), ("websocket", 45), ("sms", 65)]


def test_told_to_stop_she_is_by_sms_all_the_same() -> None:
    night = corrected_before_the_sms("sent")
    night.cancel()
    night.wait(30)
    assert night.requests(1, "stand_down") == [("websocket", 45), ("sms", 65)]
