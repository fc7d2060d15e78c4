"""It closes ``auto_close_s`` after the last event by a control room or a medic, once nobody is engaged."""

from dispatch.core import events as e
from tests.core.world import Night, refused


def closed_after_s(night: Night, limit_s: int = 20_000) -> float:
    since = night.at
    night.wait(limit_s)
    (event,) = night.now(e.IncidentClosed) or night.all(e.IncidentClosed)[-1:]
    assert event.by == "timer"
    return (event.at - since) / 1000


def test_after_the_report() -> None:
    assert closed_after_s(Night(0, auto_close_s=3600).report()) == 3600


def test_after_a_medics_last_word() -> None:
    night = Night(3, auto_close_s=3600).report()
    night.wait(60)
    night.see(1)
    assert closed_after_s(night) == 3600


def test_a_ticks_events_do_not_put_it_off() -> None:
    night = Night(3, auto_close_s=3600).report()
    night.wait(3000)
    assert {event.by for event in night.events if event.at > night.events[0].at} == {"timer"}
    assert closed_after_s(night) == 600


def test_before_a_word_that_comes_too_late() -> None:
    """What its time has made due comes first, also where no node was there to do it."""
    night = Night(0, auto_close_s=3600).report()
    night.skip(3600)
    with refused(night, "ended"):
        night.update("address")


def test_held_too() -> None:
    night = Night(0, auto_close_s=3600).report(hazard="hold")
    assert closed_after_s(night) == 3600


def test_not_while_somebody_is_engaged() -> None:
    night = Night(1, auto_close_s=600, engaged_s_max=3600).report()
    night.answer(1, "arrived")
    assert closed_after_s(night) == 3600
    assert night.states() == ["finished"]


def test_soon_after_the_last_engaged_medic_is_gone_without_a_word() -> None:
    night = Night(1, auto_close_s=600, engaged_s_max=3600).report()
    night.accept(1)
    night.wait(1000)
    night.near[0].free = False
    night.answer(1, "finished", by="timer")
    assert closed_after_s(night) == 0.001
