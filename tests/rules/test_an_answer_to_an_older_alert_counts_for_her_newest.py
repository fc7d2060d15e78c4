"""An answer to an older alert of the same incident counts for her newest."""

from tests.core.world import Night


def asked_twice() -> Night:
    night = Night(1).report()
    night.pause()
    night.resume()
    assert night.states() == ["stood_down", "requested"]
    return night


def test_an_accept() -> None:
    night = asked_twice()
    night.accept(1)
    assert night.states() == ["stood_down", "accepted"]


def test_a_decline() -> None:
    night = asked_twice()
    night.answer(1, "decline")
    assert night.states() == ["stood_down", "declined"]


def test_arrived_and_finished() -> None:
    night = asked_twice()
    night.answer(1, "arrived")
    night.answer(1, "finished")
    assert night.states() == ["stood_down", "finished"]


def test_her_leaving_too() -> None:
    night = asked_twice()
    night.leave(1, "opted_out")
    assert night.states() == ["stood_down", "declined"]
