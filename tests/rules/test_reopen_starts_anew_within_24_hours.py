"""Reopen within 24 h of the end (else 409): all that was asked and said starts anew; ``n`` goes on."""

import pytest

from dispatch.core import events as e
from dispatch.core.incident import on_the_way, wanted
from tests.core.world import START_MS, Night, refused

DAY_S = 24 * 3600


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_within_24_hours(end: str) -> None:
    night = Night(3).report()
    getattr(night, end)()
    night.wait(DAY_S)
    night.reopen()
    assert night.state.state == "open"


def test_refused_after_24_hours() -> None:
    night = Night(3).report()
    night.close()
    night.wait(DAY_S + 0.001)
    with refused(night, "ended"):
        night.reopen()


def test_live_it_changes_nothing() -> None:
    night = Night(3).report()
    night.reopen()
    assert not night.last


def test_the_waves_start_anew_and_n_goes_on() -> None:
    night = Night(9, waves=[(0, 2), (60, 2)]).report()
    night.wait(70)
    night.close()
    night.reopen()
    assert [event.n for event in night.now(e.AlertRequested)] == [5, 6]
    night.wait(60)
    assert len(night.asked()) >= 8


def test_more_enough_and_the_ambulance_start_anew() -> None:
    night = Night(9, waves=[(0, 2)], wanted=2).report()
    night.more(3)
    night.update(ambulance_arrived_at=night.at)
    night.enough()
    night.close()
    night.reopen()
    assert wanted(night.state, night.policy) == 2
    assert night.state.asking
    assert len(night.now(e.AlertRequested)) == 2


def test_earlier_alerts_no_longer_count() -> None:
    night = Night(3, wanted=1).report()
    night.answer(1, "arrived")
    night.close()
    night.reopen()
    assert not night.state.covered
    assert not night.now(e.IncidentUncovered), "it is not uncovered: cover starts anew"
    assert on_the_way(night.state) == []


def test_what_it_was_held_for_holds_again_except_stale() -> None:
    night = Night(3).report(hazard="hold", called_at=START_MS - 10_000_000, position_good=False)
    night.cancel()
    night.reopen()
    assert night.state.held_for == ("hazard", "position")
    assert night.asked() == []


def test_held_for_stale_alone_it_opens() -> None:
    night = Night(3).report(called_at=START_MS - 10_000_000)
    night.cancel()
    night.reopen()
    assert night.state.state == "open"
    assert len(night.asked()) == 3


def test_a_reopen_rings_no_more_phones_than_a_new_incident() -> None:
    night = Night(40, waves=[(0, 3), (60, 3)]).report()
    for _ in range(5):
        night.close()
        night.reopen()
        assert len(night.now(e.AlertRequested)) == 3
