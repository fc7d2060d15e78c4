"""Times are integer milliseconds; time never runs back within an incident."""

from tests.core.world import START_MS, Night


def test_a_command_from_before_the_last_event_happens_at_the_last_event() -> None:
    night = Night(3).report()
    night.wait(30)
    night.see(1)
    night.at -= 20_000
    night.accept(1)
    assert [event.at for event in night.last] == [START_MS + 30_000] * len(night.last)


def test_every_time_is_an_integer_even_where_a_factor_is_not() -> None:
    night = Night(3, overdue_factor=1.0001, overdue_s_min=1).report()
    night.accept(1, eta_s=333)
    assert type(night.due_at) is int
    night.wait(400)
    assert all(type(event.at) is int for event in night.events)
