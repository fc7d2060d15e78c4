"""A decision: what its time has made due, the command, covered, the shortfall, nobody found, rungs."""

from dispatch.core import events as e
from tests.core.world import Night


def kinds(night: Night) -> list[str]:
    return list(dict.fromkeys(type(event).__name__ for event in night.last))


def test_what_time_has_made_due_comes_before_the_command() -> None:
    night = Night(3).report()
    night.skip(91)
    night.accept(1)
    assert kinds(night)[:2] == ["AlertExpired", "AlertAnswered"]
    assert night.states() == ["accepted", "expired", "expired"]


def test_the_command_then_covered_then_rungs() -> None:
    night = Night(3).report()
    night.accept(1)
    assert kinds(night) == ["AlertAnswered", "IncidentCovered", "AlertStoodDown", "NotificationRequested"]


def test_uncovered_then_the_shortfall_then_rungs() -> None:
    night = Night(6).report()
    night.accept(1)
    night.answer(1, "decline")
    assert kinds(night) == [
        "AlertAnswered",
        "IncidentUncovered",
        "WaveDecided",
        "AlertRequested",
        "NotificationRequested",
    ]


def test_nobody_found_after_the_shortfall() -> None:
    night = Night(1).report()
    night.answer(1, "decline")
    assert kinds(night) == ["AlertAnswered", "NobodyFound"]


def test_what_is_due_is_done_once_however_long_ago_it_fell_due() -> None:
    night = Night(3, waves=[(0, 1), (10, 1), (20, 1)]).report()
    night.skip(60)
    night.tick()
    assert len(night.now(e.WaveDecided)) == 1
    assert len(night.now(e.AlertRequested)) == 2
