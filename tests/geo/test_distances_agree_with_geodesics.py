"""Distances stay within the stated share of exact geodesics on the WGS84 ellipsoid, near and far."""

import json
from pathlib import Path

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from geo.distance import RELATIVE_ERROR_MAX, distance_m, great_circle_m

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "geodesic_vectors.json"

# name, from, to, metres, source
PUBLISHED = [
    ("Flinders Peak to Buninyong", (-37.951033417, 144.424867889), (-37.652821139, 143.926495528), 54_972.271,
     "Geocentric Datum of Australia Technical Manual, worked example"),
    ("Wellington to Salamanca", (-41.32, 174.81), (40.96, -5.50), 19_959_679.267, "GeographicLib's manual"),
    ("JFK to LHR", (40.6, -73.8), (51.6, -0.5), 5_551_760.0, "GeographicLib's manual"),
    ("a quarter of a meridian", (0.0, 0.0), (90.0, 0.0), 10_001_965.729, "WGS84 quarter meridian"),
    ("a quarter of the equator", (0.0, 0.0), (0.0, 90.0), 10_018_754.171, "a x pi / 2, NIMA TR8350.2"),
    # One degree of latitude about, or of longitude at, some latitudes: NGA's table of lengths of a degree.
    ("latitude at 0", (-0.5, 0.0), (0.5, 0.0), 110_574.3, "NGA"),
    ("latitude at 15", (14.5, 0.0), (15.5, 0.0), 110_648.7, "NGA"),
    ("latitude at 30", (29.5, 0.0), (30.5, 0.0), 110_852.4, "NGA"),
    ("latitude at 45", (44.5, 0.0), (45.5, 0.0), 111_131.8, "NGA"),
    ("latitude at 60", (59.5, 0.0), (60.5, 0.0), 111_412.2, "NGA"),
    ("latitude at 75", (74.5, 0.0), (75.5, 0.0), 111_618.3, "NGA"),
    ("longitude at 0", (0.0, 0.0), (0.0, 1.0), 111_319.5, "NGA"),
    ("longitude at 45", (45.0, 0.0), (45.0, 1.0), 78_846.8, "NGA"),
]  # fmt: skip


def share_off(measured_m: float, exact_m: float) -> float:
    return abs(measured_m - exact_m) / exact_m


@pytest.mark.parametrize(("name", "a", "b", "exact_m", "source"), PUBLISHED)
def test_published_distances(name, a, b, exact_m, source):
    assert share_off(distance_m(*a, *b), exact_m) < RELATIVE_ERROR_MAX, source


@pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data/geodesic_vectors.json is not here")
def test_geographiclib_test_set():
    cases = json.loads(VECTORS.read_text())["cases"]
    assert cases
    for case in cases:
        measured_m = distance_m(case["lat1"], case["lon1"], case["lat2"], case["lon2"])
        assert share_off(measured_m, case["distance_m"]) < RELATIVE_ERROR_MAX


@pytest.mark.parametrize("apart_degrees", [1e-6, 1e-4, 0.01, 1.0, 30.0, 180.0])
def test_random_pairs(apart_degrees):
    rng = np.random.default_rng(21)
    worst = 0.0
    for lat, lon in zip(rng.uniform(-90, 90, 400), rng.uniform(-180, 180, 400), strict=True):
        to_lat = float(np.clip(lat + rng.normal() * apart_degrees, -90, 90))
        to_lon = lon + rng.normal() * apart_degrees
        exact_m = Geodesic.WGS84.Inverse(lat, lon, to_lat, to_lon)["s12"]
        worst = max(worst, share_off(distance_m(lat, lon, to_lat, to_lon), exact_m))
    assert worst < RELATIVE_ERROR_MAX


def test_the_bound_is_no_wider_than_needed():
    """North to south at the equator the Earth curves most, by a radius of b^2 / a: there the bound is met."""
    exact_m = Geodesic.WGS84.Inverse(-0.001, 0.0, 0.001, 0.0)["s12"]
    assert share_off(distance_m(-0.001, 0.0, 0.001, 0.0), exact_m) > 0.998 * RELATIVE_ERROR_MAX


def test_one_and_many_give_the_same_bits():
    rng = np.random.default_rng(22)
    lats, lons = rng.uniform(-90, 90, 2000), rng.uniform(-180, 180, 2000)
    many = great_circle_m(52.1, 5.1, lats, lons)
    for i in range(2000):
        assert distance_m(52.1, 5.1, lats[i], lons[i]) == many[i]
        assert distance_m(lats[i], lons[i], 52.1, 5.1) == many[i]
    for cut in (1, 2, 3, 7, 64, 999):
        assert np.array_equal(great_circle_m(52.1, 5.1, lats[cut:], lons[cut:]), many[cut:])
        assert np.array_equal(great_circle_m(52.1, 5.1, lats[::cut], lons[::cut]), many[::cut])


def test_a_table_of_distances_by_broadcasting():
    table = great_circle_m([[0.0], [10.0]], [[0.0], [20.0]], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert table.shape == (2, 3)
    assert table[1, 2] == distance_m(10.0, 20.0, 3.0, 6.0)


def test_ends_of_the_range():
    assert distance_m(52.0, 5.0, 52.0, 5.0) == 0.0
    assert distance_m(0.0, 180.0, 0.0, -180.0) < 1e-6
    assert distance_m(90.0, 12.0, 90.0, -77.0) < 1e-6
    assert distance_m(90.0, 0.0, -90.0, 0.0) == pytest.approx(np.pi * 6_371_008.7714)
    assert distance_m(52.0, 5.0, 52.0, 5.000001) == pytest.approx(0.0685, abs=1e-4)
