"""A socket that appears gets its own ``NotificationRequested`` for what her device does not have."""

from tests.core.world import Medic, Night


def by_sms_only() -> Night:
    return Night([Medic("m", 60, ("sms",))], wanted=2).report()


def test_the_alert() -> None:
    night = by_sms_only()
    night.wait(5)
    night.socket(1)
    assert night.requests(1, "alert") == [("sms", 0), ("websocket", 5)]


def test_the_update_or_stand_down_that_failed() -> None:
    night = by_sms_only()
    night.accept(1)
    night.update(hazard="hold")
    night.settle(1, "failed", definite=True)
    night.wait(5)
    night.socket(1)
    assert night.requests(1, "update") == [("websocket", 0), ("websocket", 5)]


def test_nothing_where_it_is_still_on_its_way_there() -> None:
    night = Night(1).report()
    night.socket(1)
    assert not night.last


def test_nor_where_an_update_is() -> None:
    night = Night(1).report()
    night.accept(1)
    night.update(hazard="hold")
    night.socket(1)
    assert not night.last


def test_nothing_that_has_been_delivered() -> None:
    night = by_sms_only()
    night.accept(1)
    night.update(hazard="hold")
    night.settle(1, "failed", definite=True)
    night.settle(1, "sent", channel="sms")
    assert night.requests(1, "update") == [("websocket", 0), ("sms", 0)]
    night.deliver(1, channel="sms")
    night.socket(1)
    assert not night.last


def test_nothing_after_the_alert_has_ended() -> None:
    night = by_sms_only()
    night.answer(1, "decline")
    night.socket(1)
    assert not night.last


def test_to_stop_where_she_read_the_alert_that_had_not_reached_her() -> None:
    """Her device came while the alert was open and read it; its coming is decided after the stand-down."""
    night = Night(1).report()
    night.lose(1)
    night.leave(1, "suspended")
    assert night.requests(1, "stand_down") == []
    night.socket(1)
    assert night.requests(1, "stand_down") == [("websocket", 0)]
    night.settle(1, "failed", definite=True)
    night.socket(1)
    assert night.requests(1, "stand_down") == [("websocket", 0), ("websocket", 0)]
