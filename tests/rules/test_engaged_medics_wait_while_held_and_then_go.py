"""Accepted and arrived medics get ``update`` (instruction: wait) when held; on release they get ``go``."""

from tests.core.world import Night


def coming() -> Night:
    night = Night(3, wanted=3).report()
    night.accept(1)
    night.answer(2, "arrived")
    return night


def test_they_are_told_to_wait_and_stay_engaged() -> None:
    night = coming()
    night.update(hazard="hold")
    assert night.states() == ["accepted", "arrived", "stood_down"]
    assert [len(night.requests(n, "update")) for n in (1, 2, 3)] == [1, 1, 0]


def test_on_release_they_are_told_to_go() -> None:
    night = coming()
    night.update(hazard="hold")
    night.deliver(1)
    night.update(hazard="none")
    assert [len(night.requests(n, "update")) for n in (1, 2)] == [2, 2]


def test_a_second_reason_tells_them_nothing_new() -> None:
    night = coming()
    night.update(hazard="hold")
    night.answer(1, "unsafe")
    assert len(night.requests(1, "update")) == 1


def test_on_release_the_shortfall_is_asked_afresh() -> None:
    night = coming()
    night.update(hazard="hold")
    night.update(hazard="none")
    assert night.asked()[3:] == ["medic-2"]
