"""Close: arrived alerts are ``finished``, all other live ones stood down. Cancel stands down all."""

from tests.core.world import Night, refused


def busy() -> Night:
    night = Night(5, waves=[(0, 5)], wanted=5).report()
    night.accept(1)
    night.answer(2, "arrived")
    night.answer(3, "decline")
    night.deliver(4)
    return night


def test_close() -> None:
    night = busy()
    night.close()
    assert night.state.state == "closed"
    assert night.states() == ["stood_down", "finished", "declined", "stood_down", "stood_down"]
    assert night.reasons() == ["closed", None, None, "closed", "closed"]


def test_cancel() -> None:
    night = busy()
    night.cancel()
    assert night.state.state == "cancelled"
    assert night.states() == ["stood_down", "stood_down", "declined", "stood_down", "stood_down"]
    assert night.reasons() == ["cancelled", "cancelled", None, "cancelled", "cancelled"]


def test_a_repeat_changes_nothing_and_the_other_is_refused() -> None:
    night = busy()
    night.close()
    night.close()
    assert not night.last
    with refused(night, "ended"):
        night.cancel()
    other = busy()
    other.cancel()
    other.cancel()
    assert not other.last
    with refused(other, "ended"):
        other.close()


def test_every_alert_ends_and_is_told() -> None:
    night = busy()
    night.close()
    assert night.requests(1, "stand_down")
    assert night.requests(4, "stand_down")
    assert not night.requests(3, "stand_down")


def test_nobody_is_asked_any_more() -> None:
    night = busy()
    night.close()
    asked = len(night.asked())
    night.wait(1000)
    assert len(night.asked()) == asked
    assert night.due_at is None
