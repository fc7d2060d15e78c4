"""NaN, infinity, out of range, wrong shapes and types: ValueError, and nothing has changed."""

import math

import numpy as np
import pytest

from geo.cells import cell_at
from geo.nearest import NearestIndex

BAD = [
    (math.nan, 5.0),
    (52.0, math.nan),
    (math.inf, 5.0),
    (52.0, -math.inf),
    (90.0000001, 5.0),
    (-91.0, 5.0),
    (52.0, 180.0000001),
    (52.0, 360.0),
    (5.0, -181.0),
    (122.0, 52.0),
]


@pytest.fixture
def index() -> NearestIndex:
    index = NearestIndex()
    index.put_many([0, 1, 2], [52.0, 52.1, 52.2], [5.0, 5.1, 5.2])
    return index


@pytest.fixture(autouse=True)
def nothing_has_changed(index):
    yield
    assert len(index) == 3
    assert [index.position(key) for key in range(3)] == [(52.0, 5.0), (52.1, 5.1), (52.2, 5.2)]
    assert index.nearest(52.0, 5.0, 5)[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("lat", "lon"), BAD)
def test_bad_positions(index, lat, lon):
    with pytest.raises(ValueError, match="latitude"):
        index.put(0, lat, lon)
    with pytest.raises(ValueError, match="latitude"):
        index.put(7, lat, lon)
    with pytest.raises(ValueError, match="degrees"):
        index.put_many([1, 2, 3], [1.0, lat, 2.0], [1.0, lon, 2.0])
    with pytest.raises(ValueError, match="latitude"):
        index.nearest(lat, lon, 5)
    with pytest.raises(ValueError, match="latitude"):
        index.within(lat, lon, 1000.0)
    with pytest.raises(ValueError, match="latitude"):
        cell_at(lat, lon, 9)


@pytest.mark.parametrize("key", [-1, 2**31])
def test_bad_keys(index, key):
    with pytest.raises(ValueError, match="key"):
        index.put(key, 52.0, 5.0)
    with pytest.raises(ValueError, match="key"):
        index.put_many([0, key], [1.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="key"):
        index.remove_many([0, key])
    assert key not in index


@pytest.mark.parametrize(
    ("keys", "lats", "lons"),
    [
        ([0, 1], [1.0], [1.0]),
        ([0], [1.0, 2.0], [1.0, 2.0]),
        ([[0, 1]], [[1.0, 2.0]], [[1.0, 2.0]]),
        ([0.5], [1.0], [1.0]),
        ([True], [1.0], [1.0]),
        ([0], [True], [1.0]),
        ([0], ["1.0"], [1.0]),
        ([0], [None], [1.0]),
        (0, 1.0, 1.0),
    ],
)
def test_bad_shapes_and_types(index, keys, lats, lons):
    with pytest.raises(ValueError, match=r"wanted|latitudes"):
        index.put_many(keys, lats, lons)


def test_absent_keys(index):
    for absent in (3, 10**6):
        with pytest.raises(KeyError):
            index.remove(absent)
        with pytest.raises(KeyError):
            index.remove_many(np.array([0, absent]))
        with pytest.raises(KeyError):
            index.position(absent)


def test_bad_questions(index):
    with pytest.raises(ValueError, match="k -1"):
        index.nearest(52.0, 5.0, -1)
    with pytest.raises(ValueError, match="nan"):
        index.nearest(52.0, 5.0, 5, distance_max_m=math.nan)
    assert len(index.nearest(52.0, 5.0, 0)[0]) == 0
    assert len(index.nearest(52.0, 5.0, 5, distance_max_m=-1.0)[0]) == 0


def test_nothing_at_all_is_no_error(index):
    index.put_many([], [], [])
    index.remove_many([])


def test_the_callers_arrays_are_left_alone(index):
    lats, lons = np.array([52.0]), np.array([5.0])
    index.put_many(np.array([0]), lats, lons)
    lats[0], lons[0] = 0.0, 0.0
