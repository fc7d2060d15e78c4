"""``due_at`` is computed at each decision: the earliest of what time alone will make due."""

from tests.core.world import Night


def in_s(night: Night) -> float | None:
    return None if night.due_at is None else (night.due_at - night.at) / 1000


def test_first_the_next_rung_then_the_next_wave_then_the_expiry() -> None:
    night = Night(6).report()
    assert in_s(night) == 20, "the SMS rung"
    night.wait(20)
    assert in_s(night) == 40, "the second wave"
    night.wait(40)
    assert in_s(night) == 20, "the second wave's SMS rung"
    for n in (4, 5, 6):
        night.see(n)
    assert in_s(night) == 30, "the first wave's expiry"


def test_a_covered_incident_is_next_due_when_its_medic_is_overdue() -> None:
    night = Night(1).report()
    night.accept(1, eta_s=200)
    assert in_s(night) == 300


def test_an_ended_incident_with_nothing_to_tell_is_never_due_again() -> None:
    night = Night(0).report()
    assert in_s(night) == 10, "the next look"
    night.cancel()
    assert in_s(night) is None
