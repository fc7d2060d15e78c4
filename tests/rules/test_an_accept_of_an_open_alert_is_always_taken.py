"""Accept of an open alert is always taken while the incident is open, over however many are coming."""

import pytest

from tests.core.world import Medic, Night


@pytest.mark.parametrize("shown", ["requested", "sent", "delivered", "seen"])
def test_in_every_open_state(shown: str) -> None:
    night = Night(1).report()
    if shown in ("sent", "delivered"):
        night.settle(1, shown)  # type: ignore[arg-type]
    if shown == "seen":
        night.see(1)
    assert night.states() == [shown]
    night.accept(1)
    assert night.states() == ["accepted"]


def test_covered_too_for_one_who_stayed_open() -> None:
    night = Night([Medic("near", 60), Medic("far", 500)]).report()
    night.accept(2)
    assert night.state.covered
    night.accept(1)
    assert night.states() == ["accepted", "accepted"]


def test_her_travel_time_from_where_she_is_now_goes_with_it() -> None:
    night = Night(1).report()
    night.accept(1, eta_s=33)
    assert night.alert(1).eta_s == 33


def test_the_last_known_travel_time_where_it_is_not_known_now() -> None:
    night = Night(1).report()
    night.accept(1)
    assert night.alert(1).eta_s == 60
