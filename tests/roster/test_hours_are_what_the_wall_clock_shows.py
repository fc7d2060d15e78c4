"""Weekly hours: over midnight, over Sunday, over summer time and in any zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.records import Hours
from dispatch.roster.hours import Schedules, spans

ALL_DAYS = (1, 2, 3, 4, 5, 6, 7)


def hold(hours, moment, zone="Europe/Amsterdam"):
    schedules = Schedules(zone)
    number = schedules.number(hours, None)
    at = int(datetime.fromisoformat(moment).timestamp() * 1000)
    return bool(schedules.hold(np.array([number], dtype=np.int32), at)[0])


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-03-13T21:59:59.999+01:00", False),  # a Friday
        ("2026-03-13T22:00:00+01:00", True),
        ("2026-03-14T00:00:00+01:00", True),
        ("2026-03-14T06:59:59.999+01:00", True),
        ("2026-03-14T07:00:00+01:00", False),
        ("2026-03-13T03:00:00+01:00", False),  # Thursday's night
    ],
)
def test_an_end_before_the_start_is_the_next_days(moment, holds):
    assert hold((Hours((5,), "22:00", "07:00"),), moment) is holds


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-03-15T23:30:00+01:00", True),  # a Sunday
        ("2026-03-16T00:30:00+01:00", True),
        ("2026-03-16T01:00:00+01:00", False),
        ("2026-03-15T00:30:00+01:00", False),
    ],
)
def test_sundays_hours_end_on_monday(moment, holds):
    assert hold((Hours((7,), "23:00", "01:00"),), moment) is holds


def test_from_a_time_to_itself_is_a_whole_day():
    assert spans([Hours((7,), "08:00", "08:00")]) == [(0, 8 * 60), (6 * 1440 + 8 * 60, 7 * 1440)]
    assert spans([Hours(ALL_DAYS, "08:00", "08:00")]) == [(0, 7 * 1440)]


def test_hours_that_touch_or_overlap_become_one():
    assert spans([Hours((1,), "08:00", "12:00"), Hours((1,), "12:00", "14:00")]) == [(480, 840)]
    assert spans([Hours((1,), "08:00", "20:00"), Hours((1,), "09:00", "10:00")]) == [(480, 1200)]


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        # Spring: at 02:00 the clock goes to 03:00 (29 March 2026 in Amsterdam).
        ("2026-03-29T00:59:00Z", True),  # 01:59
        ("2026-03-29T01:00:00Z", False),  # 03:00, the hours' end
        # Autumn: at 03:00 the clock goes back to 02:00 (25 October 2026).
        ("2026-10-24T23:29:00Z", False),  # 01:29
        ("2026-10-24T23:30:00Z", True),  # 01:30
        ("2026-10-25T00:59:00Z", True),  # 02:59, the first time
        ("2026-10-25T01:00:00Z", True),  # 02:00, the second time
        ("2026-10-25T01:59:00Z", True),  # 02:59
        ("2026-10-25T02:00:00Z", False),  # 03:00
    ],
)
def test_over_summer_time_the_wall_clock_counts(moment, holds):
    assert hold((Hours((7,), "01:30", "03:00"),), moment) is holds


def test_hours_that_spring_leaves_out_do_not_come():
    left_out = (Hours((7,), "02:15", "02:45"),)
    start = datetime(2026, 3, 29, tzinfo=UTC)
    assert not any(hold(left_out, (start + timedelta(minutes=m)).isoformat()) for m in range(0, 240, 5))


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn():
    night = (Hours(ALL_DAYS, "22:00", "07:00"),)

    def hours_of(first):
        start = datetime.fromisoformat(first)
        return sum(hold(night, (start + timedelta(hours=h)).isoformat()) for h in range(24))

    assert hours_of("2026-03-27T12:00:00+01:00") == 9
    assert hours_of("2026-03-28T12:00:00+01:00") == 8
    assert hours_of("2026-10-24T12:00:00+02:00") == 10


TIMES = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
HOURS = st.builds(
    Hours, st.lists(st.sampled_from(ALL_DAYS), unique=True, max_size=3).map(tuple), TIMES, TIMES
)
ZONES = st.sampled_from(
    ["Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC"]
)
# Around both changes of summer time in Europe, and anywhere in some years.
MOMENTS = st.one_of(
    st.integers(1_774_700_000, 1_774_900_000),
    st.integers(1_792_800_000, 1_793_000_000),
    st.integers(0, 2**31),
)


def plainly(hours, zone, at):
    """Whether hours hold, told day by day from what a wall clock shows, with no arithmetic on weeks."""
    wall = datetime.fromtimestamp(at // 1000, ZoneInfo(zone))
    shows, today, yesterday = (
        wall.strftime("%H:%M"),
        wall.isoweekday(),
        (wall - timedelta(days=1)).isoweekday(),
    )
    for entry in hours:
        over_midnight = entry.to <= entry.from_
        if today in entry.days and entry.from_ <= shows and (over_midnight or shows < entry.to):
            return True
        if yesterday in entry.days and over_midnight and shows < entry.to:
            return True
    return False


@given(
    st.lists(st.tuples(st.lists(HOURS, max_size=4).map(tuple), ZONES), min_size=1, max_size=6),
    st.lists(MOMENTS, min_size=1, max_size=4),
)
def test_many_schedules_at_once_say_what_each_wall_clock_says(rows, moments):
    schedules = Schedules("UTC")
    numbers = np.array([schedules.number(hours, zone) for hours, zone in rows], dtype=np.int32)
    for moment in moments:
        at = moment * 1000 + 999
        assert schedules.hold(numbers, at).tolist() == [plainly(hours, zone, at) for hours, zone in rows]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.lists(HOURS, max_size=4).map(tuple), ZONES), min_size=2, max_size=8), MOMENTS)
def test_what_others_no_longer_have_is_forgotten_and_known_anew_when_asked_about(rows, moment):
    schedules, at = Schedules("UTC"), moment * 1000
    numbers = np.array([schedules.number(hours, zone) for hours, zone in rows], dtype=np.int32)
    kept = numbers[::2].copy(), np.array([Schedules.NEVER, Schedules.ALWAYS], dtype=np.int32)
    schedules.forget_unused(kept)
    assert len(schedules) == len({0, 1, *kept[0].tolist()})
    assert kept[1].tolist() == [Schedules.NEVER, Schedules.ALWAYS]
    assert schedules.hold(kept[0], at).tolist() == [plainly(hours, zone, at) for hours, zone in rows[::2]]
    asked = np.array([schedules.number(hours, zone) for hours, zone in rows], dtype=np.int32)
    assert asked[::2].tolist() == kept[0].tolist()
    assert schedules.hold(asked, at).tolist() == [plainly(hours, zone, at) for hours, zone in rows]


def test_always_never_and_the_same_hours_are_one_schedule():
    schedules = Schedules("Europe/Amsterdam")
    hours = (Hours((1,), "08:00", "17:00"),)
    assert schedules.number(hours, None) == schedules.number(hours, "Europe/Amsterdam")
    assert schedules.number(hours, "UTC") != schedules.number(hours, None)
    fixed = np.array([Schedules.NEVER, Schedules.ALWAYS], dtype=np.int32)
    for minute in range(0, 8 * 1440, 45):
        assert schedules.hold(fixed, minute * 60_000).tolist() == [False, True]
