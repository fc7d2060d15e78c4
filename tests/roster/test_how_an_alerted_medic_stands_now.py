"""A changed or moved incident asks of those it has alerted: travel time now, and do they still fit."""

import pytest

LAT, LON = 52.09, 5.12


@pytest.fixture
def anna(roster, medic, fix):
    roster.put(medic(mode="bicycle", skills=("nurse",), cleared_for_homes=False))
    roster.move(fix(north_m=900.0))
    return roster


def test_her_travel_time_to_where_the_incident_is_now(anna, search, at):
    assert anna.eta("anna", lat=LAT, lon=LON, at=at, fix_stale_s=900) == (900, 200)
    assert anna.standing("anna", search(), lat=LAT, lon=LON, at=at) == (900, 200, True)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"skills_any": ("nurse",)}, True),
        ({"skills_any": ("doctor",)}, False),
        ({"cleared_only": True}, False),
        ({"channels": ("sms",)}, True),
        ({"channels": ("voice",)}, False),
    ],
)
def test_she_fits_by_skills_clearance_and_channels(anna, search, at, changes, fits):
    assert anna.standing("anna", search(**changes), lat=LAT, lon=LON, at=at)[2] is fits


def test_she_fits_or_not_also_where_her_fix_has_grown_stale(anna, search, at):
    later = at + 900_000
    assert anna.standing("anna", search(), lat=LAT, lon=LON, at=later) == (None, None, True)
    unfit = anna.standing("anna", search(cleared_only=True), lat=LAT, lon=LON, at=later)
    assert unfit == (None, None, False)


def test_a_socket_lost_for_a_moment_does_not_end_what_her_phone_shows(anna, search, at):
    assert anna.standing("anna", search(channels=("websocket",)), lat=LAT, lon=LON, at=at)[2]


def test_busy_or_opted_out_she_still_stands_as_she_does(anna, medic, search, at):
    anna.hold_alert("anna", incident_id="i1", n=1, priority=1, drill=False, engaged=True)
    anna.put(medic(mode="bicycle", available=False))
    assert anna.standing("anna", search(reach_s=1), lat=LAT, lon=LON, at=at) == (900, 200, True)
