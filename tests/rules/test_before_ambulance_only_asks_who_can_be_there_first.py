"""``before_ambulance_only``: who cannot be there before ``ambulance_due_at`` is not asked."""

from tests.core.world import Medic, Night

NEAR = [Medic("first", 200), Medic("as-late", 300), Medic("later", 301)]


def test_who_would_come_after_it_is_not_asked() -> None:
    night = Night(NEAR, before_ambulance_only=True)
    night.report(ambulance_due_at=night.at + 300_000)
    assert night.asked() == ["first", "as-late"]


def test_it_is_judged_at_each_wave() -> None:
    night = Night(NEAR, before_ambulance_only=True, waves=[(0, 1), (30, 1)])
    night.report(ambulance_due_at=night.at + 300_000)
    night.wait(30)
    assert night.asked() == ["first"], "the second would now be 30 s late"


def test_past_its_time_nobody_is_asked_or_looked_for() -> None:
    night = Night(NEAR, before_ambulance_only=True)
    night.report(ambulance_due_at=night.at - 1)
    night.wait(60)
    assert (night.asked(), night.looks) == ([], 0)


def test_without_the_key_it_does_not_matter() -> None:
    night = Night(NEAR)
    night.report(ambulance_due_at=night.at + 300_000)
    assert len(night.asked()) == 3
