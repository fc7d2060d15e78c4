"""``alerting.state``: active, covered, held, exhausted, ended; ended also after enough, while it is open."""

import pytest

from dispatch.core.incident import alerting_state
from tests.core.world import How, Night

STANDS: dict[str, tuple[How, str]] = {
    "asked": (lambda night: night.see(1), "active"),
    "covered": (lambda night: night.accept(1), "covered"),
    "held": (lambda night: night.update(hazard="hold"), "held"),
    "enough": (lambda night: night.enough(), "ended"),
    "the ambulance": (lambda night: night.update(ambulance_arrived_at=night.at), "ended"),
    "everybody declined": (lambda night: night.answer(1, "decline"), "exhausted"),
    "closed": (lambda night: night.close(), "ended"),
    "cancelled": (lambda night: night.cancel(), "ended"),
}


@pytest.mark.parametrize("what", STANDS)
def test_it_stands(what: str) -> None:
    night = Night(1).report()
    do, state = STANDS[what]
    do(night)
    assert alerting_state(night.state) == state


def test_held_comes_before_all_but_the_end() -> None:
    night = Night(1).report()
    night.accept(1)
    night.enough()
    night.pause()
    assert alerting_state(night.state) == "held"
    night.close()
    assert alerting_state(night.state) == "ended"
