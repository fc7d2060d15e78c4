"""DESIGN's "place": used when the fix is stale, in its hours; and which entry of a medic a search takes."""

import pytest

from dispatch.records import Hours, Place
from geo.distance import distance_m

LAT, LON = 52.09, 5.12
HOME = Place("home", LAT + 0.002, LON)
WORK = Place("work", LAT + 0.001, LON, (Hours((1, 2, 3, 4, 5), "08:00", "17:00"),))
NIGHT_SHIFT = Place("work", LAT + 0.001, LON, (Hours((1, 2, 3, 4, 5), "22:00", "06:00"),))
WAY_M = {place.label: round(distance_m(LAT, LON, place.lat, place.lon)) for place in (HOME, WORK)}


def minutes(count):
    return count * 60_000


def test_without_a_fix_or_a_place_in_hours_she_is_nowhere(roster, medic, ids, search, at):
    roster.put(medic(places=(NIGHT_SHIFT,)))
    assert ids(roster) == []
    assert roster.eta("anna", lat=LAT, lon=LON, at=at, fix_stale_s=900) is None
    assert roster.standing("anna", search(), lat=LAT, lon=LON, at=at) == (None, None, True)
    roster.put(medic(places=()))
    assert ids(roster) == []


def test_a_fix_counts_while_it_is_younger_than_the_policy_says(roster, medic, fix, ids, at):
    roster.put(medic())
    roster.move(fix())
    assert ids(roster, at=at + minutes(15) - 1) == ["anna"]
    assert ids(roster, at=at + minutes(15)) == []
    assert ids(roster, at=at + minutes(15), fix_stale_s=901) == ["anna"]


def test_a_fresh_fix_beats_a_nearer_place(roster, medic, fix, look, at):
    roster.put(medic(places=(HOME, WORK)))
    roster.move(fix(north_m=700.0))
    (found,) = look(roster)
    assert found.distance_m == 700
    (found,) = look(roster, at=at + minutes(20))
    assert found.distance_m == WAY_M["work"]


def test_a_fresh_fix_out_of_reach_is_not_made_good_by_a_place(roster, medic, fix, ids):
    roster.put(medic(places=(HOME,)))
    roster.move(fix(north_m=50_000.0))
    assert ids(roster) == []


def test_the_nearest_of_two_places_in_hours_and_she_comes_once(roster, medic, look, at):
    roster.put(medic(places=(HOME, WORK)))
    assert [found.distance_m for found in look(roster)] == [WAY_M["work"]]
    assert [found.distance_m for found in look(roster, at=at + minutes(6 * 60))] == [WAY_M["home"]]
    for label, when in (("work", at), ("home", at + minutes(6 * 60))):
        metres, _ = roster.eta("anna", lat=LAT, lon=LON, at=when, fix_stale_s=900)
        assert metres == WAY_M[label], "as when she answers, or the incident moves"


def test_two_places_each_leave_room_for_the_others(roster, medic, ids):
    """Forty medics with two places each in front of one who has a fix farther off."""
    many = [medic(f"m{i:02}", places=(HOME, WORK)) for i in range(40)]
    roster.put_many([*many, medic("zoe", places=(Place("home", LAT + 0.003, LON),))])
    assert ids(roster, count=41, new_max=41) == [*(one.id for one in many), "zoe"]


def test_hours_are_by_her_own_time_zone(roster, medic, ids):
    one_o_clock = Place("club", LAT, LON, (Hours((2,), "13:00", "13:30"),))
    roster.put(medic(places=(one_o_clock,)))
    assert ids(roster) == ["anna"]
    roster.put(medic(places=(one_o_clock,), time_zone="America/New_York"))
    assert ids(roster) == []


def test_a_changed_or_removed_place_is_forgotten(roster, medic, ids, look):
    roster.put(medic(places=(HOME, WORK)))
    roster.put(medic(places=(Place("home", -LAT, LON),)))
    assert ids(roster) == []
    assert ids(roster, lat=-LAT) == ["anna"]
    roster.put(medic(places=()))
    assert ids(roster, lat=-LAT) == []


def test_by_another_mode_she_keeps_fix_and_places_and_gets_another_time(roster, medic, fix, look, at):
    roster.put(medic(places=(HOME,)))
    roster.move(fix(north_m=170.0))
    assert [(found.distance_m, found.eta_s) for found in look(roster)] == [(170, 100)]
    before = roster.fix("anna")
    roster.put(medic(places=(HOME,), mode="bicycle"))
    assert roster.fix("anna") == before
    assert [(found.distance_m, found.eta_s) for found in look(roster)] == [(170, 38)]
    assert [found.distance_m for found in look(roster, at=at + minutes(20))] == [WAY_M["home"]]
    assert roster.move(fix(north_m=340.0, at=at + 1))
    assert [found.distance_m for found in look(roster)] == [340]


def test_the_newest_fix_wins_whatever_comes_last(roster, medic, fix, look, at):
    roster.put(medic())
    assert roster.move(fix(north_m=300.0, at=at - 1000))
    assert not roster.move(fix(north_m=10.0, at=at - 2000))
    assert not roster.move(fix(north_m=10.0, at=at - 1000))
    assert [found.distance_m for found in look(roster)] == [300]
    older, newer = fix(north_m=50.0, at=at - 500), fix(north_m=200.0, at=at - 10, accuracy_m=None)
    assert roster.move_many([newer, older, fix("nobody")]) == 1
    assert roster.fix("anna") == newer


def test_a_removed_medic_leaves_nothing_behind_for_the_next_one(roster, medic, fix, ids, at):
    roster.put(medic(places=(HOME,)))
    roster.move(fix())
    roster.connected("anna", True)
    roster.take(["anna"])
    roster.remove("anna")
    roster.remove("anna")
    assert len(roster) == 0
    assert roster.get("anna") is None
    assert roster.fix("anna") is None
    assert ids(roster) == []
    roster.put(medic("bert"))
    assert ids(roster) == []
    assert roster.fix("bert") is None
    assert roster.move(fix("bert", at=at - 1000))
    assert ids(roster) == ["bert"]
    assert ids(roster, channels=("websocket",)) == []


@pytest.mark.parametrize(("incident", "medic_at"), [(179.999, -179.999), (-180.0, 180.0), (180.0, 179.998)])
def test_the_antimeridian_is_no_border(roster, medic, fix, ids, incident, medic_at):
    roster.put_many([medic("anna", places=(Place("home", -16.8, medic_at),)), medic("bert")])
    roster.move(fix("bert", lat=-16.8, lon=medic_at))
    assert ids(roster, lat=-16.8, lon=incident) == ["anna", "bert"]
