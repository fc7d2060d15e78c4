"""What can not be is refused whole: ValueError, and the roster is as before."""

import math

import pytest

from dispatch.records import Hours, Place
from dispatch.roster.roster import Roster

BAD_HOURS = [
    Hours((0,), "08:00", "17:00"),
    Hours((8,), "08:00", "17:00"),
    Hours((1,), "8:00", "17:00"),
    Hours((1,), "24:00", "17:00"),
    Hours((1,), "08:60", "17:00"),
    Hours((1,), "08.00", "17:00"),
    Hours((1,), "+8:00", "17:00"),
    Hours((1,), "०८:00", "17:00"),
    Hours((1,), "08:00", ""),
]
NOWHERE = [(math.nan, 5.0), (52.0, math.inf), (90.1, 5.0), (52.0, -180.1)]


@pytest.mark.parametrize("hours", BAD_HOURS)
def test_hours_that_are_none(roster, medic, fix, ids, hours):
    roster.put(medic())
    roster.move(fix())
    for changes in ({"quiet_hours": (hours,)}, {"places": (Place("home", 52.0, 5.0, (hours,)),)}):
        with pytest.raises(ValueError, match="medic anna: "):
            roster.put_many([medic("bert"), medic(available=False, **changes)])
    assert len(roster) == 1
    assert ids(roster) == ["anna"]


@pytest.mark.parametrize(("lat", "lon"), NOWHERE)
def test_positions_that_are_none(roster, medic, fix, ids, at, lat, lon):
    roster.put(medic())
    roster.move(fix())
    with pytest.raises(ValueError, match="is no position"):
        roster.put(medic(places=(Place("home", 52.09, 5.12), Place("work", lat, lon))))
    with pytest.raises(ValueError, match="is no position"):
        roster.move_many([fix(north_m=500.0, at=at + 1), fix(at=at + 2, lat=lat, lon=lon)])
    with pytest.raises(ValueError, match=r"."):
        ids(roster, lat=lat, lon=lon)
    assert roster.get("anna").places == ()
    assert roster.fix("anna").at == at
    assert ids(roster) == ["anna"]


def test_an_unknown_mode(roster, medic):
    with pytest.raises(ValueError, match="medic anna: "):
        roster.put(medic(mode="horse"))
    assert len(roster) == 0


def test_a_zone_unknown_to_this_machine_counts_as_the_default(roster, medic, fix, ids):
    for zone in ("Mars/Olympus", "../etc/passwd", "", "\0"):
        quiet = (Hours((2,), "13:00", "13:30"),)
        roster.put(medic(time_zone=zone, quiet_hours=quiet))
        roster.move(fix())
        assert ids(roster) == []


def test_an_unknown_default_zone_is_refused_at_start():
    with pytest.raises(KeyError):
        Roster(default_time_zone="Mars/Olympus", sms_on=True)


def test_who_was_passed_over_by_a_search_that_failed_is_found_by_the_next(roster, medic, fix, ids):
    roster.put(medic())
    roster.move(fix())
    with pytest.raises(ValueError, match=r"."):
        ids(roster, lat=math.nan, firsts={"anna": 1})
    assert ids(roster) == ["anna"]
