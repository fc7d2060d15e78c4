"""A later message replaces an earlier one: what it had still to climb is climbed no more."""

from tests.core.world import Night


def coming() -> Night:
    night = Night(1, wanted=2).report()
    night.settle(1, "failed", definite=True)
    night.settle(1, "sent", channel="sms")
    night.accept(1)
    return night


def test_a_stand_down_replaces_an_update() -> None:
    night = coming()
    night.update(hazard="hold")
    night.wait(5)
    night.cancel()
    night.wait(60)
    assert night.requests(1, "update") == [("websocket", 0)]
    assert night.requests(1, "stand_down") == [("websocket", 5), ("sms", 25)]


def test_an_update_is_climbed_no_more_once_she_has_finished() -> None:
    night = coming()
    night.update(hazard="hold")
    night.settle(1, "failed", definite=False)
    night.answer(1, "finished")
    night.wait(60)
    night.socket(1)
    assert night.requests(1, "update") == [("websocket", 0)]


def test_a_delivery_of_the_earlier_one_does_not_stop_the_later() -> None:
    night = coming()
    night.update(hazard="hold")
    k = night.alert(1).notes[-1].k
    night.wait(5)
    night.update(hazard="none")
    night.settle(1, "delivered", k=k)
    night.wait(60)
    assert night.requests(1, "update") == [("websocket", 0), ("websocket", 5), ("sms", 25)]


def test_what_is_in_flight_when_she_is_stood_down_is_followed_by_its_stand_down() -> None:
    night = Night(1).report()
    assert night.alert(1).notes[0].pending
    night.enough()
    assert night.requests(1, "stand_down") == [("websocket", 0)]
    night.wait(60)
    assert night.requests(1, "alert") == [("websocket", 0)], "and no alert is requested any more"
