"""The demo's medics: made up by key, near the places they are spread by, on numbers that nobody has."""

import csv

import pytest

from geo.distance import distance_m
from simulations.behaviour import Behaviour
from simulations.calls import Call
from simulations.demo.showcase import choose
from simulations.population import JITTER_M, MEDICS_MAX, spread, write_csv

PLACES = [(53.30, -6.20), (53.40, -6.30)]


def test_each_lives_within_the_jitter_of_a_place():
    for one in spread(PLACES, 500, 1, 0.85):
        nearest_m = min(distance_m(one.lat, one.lon, *place) for place in PLACES)
        assert nearest_m <= JITTER_M * 1.01


def test_the_same_seed_makes_the_same_medics_however_many():
    assert spread(PLACES, 100, 1, 0.85) == spread(PLACES, 200, 1, 0.85)[:100]
    assert spread(PLACES, 100, 1, 0.85) != spread(PLACES, 100, 2, 0.85)


def test_numbers_are_all_different_and_set_aside_for_drama():
    phones = {one.phone for one in spread(PLACES, MEDICS_MAX, 1, 0.85)}
    assert len(phones) == MEDICS_MAX
    assert all(phone.startswith("+3532091") and len(phone) == 13 for phone in phones)


def test_most_have_the_app_and_some_only_sms():
    medics = spread(PLACES, 1_000, 1, 0.85)
    assert 800 < sum(one.has_app for one in medics) < 900
    assert {one.mode for one in medics} == {"foot", "bicycle", "car"}


@pytest.mark.parametrize("medics", [0, MEDICS_MAX + 1])
def test_too_few_and_too_many_are_refused(medics):
    with pytest.raises(ValueError, match="10,000"):
        spread(PLACES, medics, 1, 0.85)


def test_the_csv_is_the_one_that_medics_import_reads(tmp_path):
    write_csv(spread(PLACES, 3, 1, 0.85), tmp_path / "medics.csv")
    with (tmp_path / "medics.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["name", "phone", "language", "skills", "mode", "home_lat", "home_lon"]
    assert len(rows) == 3


def test_the_call_that_is_shown_alone_has_medics_around_it():
    medics = spread(PLACES, 300, 1, 0.85)
    nowhere = [Call(f"far-{n}", "trauma", 10.0 + n, 10.0, 0.0, "far away") for n in range(5)]
    near = [Call(f"near-{n}", "unconscious", 53.30 + n / 100_000, -6.20, 0.0, "near") for n in range(400)]
    assert choose([*nowhere, *near], medics, Behaviour(1)).reference.startswith("near-")
    of_one_medic = [Call("one", "trauma", 53.30, -6.20, 0.0, "a kind that asks fewer")]
    assert choose([*nowhere, *of_one_medic], medics, Behaviour(1)) is nowhere[0]
    assert choose(nowhere, medics, Behaviour(1)) is nowhere[0]


@pytest.mark.parametrize("place", [(-16.8, 180.0), (-16.8, -180.0), (90.0, 0.0), (-90.0, 12.0)])
def test_beside_the_180th_meridian_or_a_pole_they_live_on_the_globe(place: tuple[float, float]) -> None:
    residents = spread([place], 200, seed=1, app_share=0.5)
    assert all(abs(one.lat) <= 90 and abs(one.lon) <= 180 for one in residents)
    assert all(distance_m(one.lat, one.lon, *place) <= JITTER_M * 1.01 for one in residents)
