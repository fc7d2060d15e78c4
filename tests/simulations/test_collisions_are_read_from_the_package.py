"""The package's counts, as published with it; and what becomes of a row in a replay."""

import sys
from collections import Counter

import pytest

from simulations.collisions import DUBLIN, WEEK_S, WEEKS, Collision, as_calls, describe, read_collisions


@pytest.fixture(scope="module")
def ireland() -> list[Collision]:
    return read_collisions()


def test_ireland_has_68936_collisions(ireland):
    assert len(ireland) == 68_936
    assert {collision.year for collision in ireland} == set(range(2005, 2017))


def test_16915_of_them_lie_in_dublin(ireland):
    assert len(read_collisions(DUBLIN)) == 16_915
    assert sum(DUBLIN.holds(collision.lat, collision.lon) for collision in ireland) == 16_915


def test_one_row_has_no_hour_and_1184_no_circumstances(ireland):
    assert sum(collision.hour_band is None for collision in ireland) == 1
    assert sum(collision.circumstances is None for collision in ireland) == 1_184


def test_none_of_the_packages_code_is_run(ireland):
    assert not [name for name in sys.modules if name.startswith(("road_collisions", "pandas"))]


def test_every_collision_becomes_a_traffic_accident_with_its_severitys_priority(ireland):
    calls = as_calls(ireland, seed=1)
    assert len(calls) == len(ireland)
    assert {call.kind for call in calls} == {"traffic_accident"}
    assert Counter(call.priority for call in calls) == {1: 2_580, 2: 6_656, 3: 59_700}


def test_calls_come_in_order_and_keep_their_weekday_and_hours():
    def collision(row: int, weekday: str, hours: str | None) -> Collision:
        return Collision(row, 53.3, -6.3, 2013, weekday, hours, "minor", None)

    night, first, last = (
        collision(1, "friday", "23-3"),
        collision(2, "friday", "16-19"),
        collision(3, "friday", "10-16"),
    )
    calls = as_calls([night, first, last, collision(4, "monday", None)], seed=1)
    assert [call.reference for call in calls] == ["collision-2", "collision-1", "collision-4", "collision-3"]
    assert 0 <= calls[0].at_s < 3 * 3600
    assert 7 * 3600 <= calls[1].at_s < 11 * 3600
    assert WEEK_S - 6 * 3600 <= calls[3].at_s < WEEK_S


def test_twelve_years_are_laid_over_four_weeks(ireland):
    by_week = Counter(int(call.at_s // WEEK_S) for call in as_calls(ireland, seed=1))
    years = Counter((collision.year - 2005) % WEEKS for collision in ireland)
    assert by_week == years


def test_the_seed_alone_decides_the_moment(ireland):
    dublin = ireland[:500]
    assert as_calls(dublin, seed=1) == as_calls(reversed(dublin), seed=1)
    assert as_calls(dublin, seed=1) != as_calls(dublin, seed=2)


def test_a_description_says_only_what_is_known():
    known = Collision(1, 53.3, -6.3, 2008, "tuesday", "16-19", "serious", "pedestrian")
    unknown = Collision(1, 53.3, -6.3, 2008, "tuesday", None, "serious", None)
    assert describe(known) == "serious collision, pedestrian, tuesday 16-19 h, 2008"
    assert describe(unknown) == "serious collision, tuesday, 2008"
