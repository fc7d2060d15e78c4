"""Buckets stay inside their balls, and their number follows the number of points."""

import numpy as np
from brute_force import Positions, cities, uniform

from geo import curve
from geo.buckets import SLOTS, SLOTS_LOG2, Buckets
from geo.distance import chord_squared, unit_vectors


def everyone(buckets: Buckets) -> np.ndarray:
    return np.flatnonzero(buckets.slot >= 0)


def assert_sound(buckets: Buckets) -> None:
    """Every key sits in one slot, with its own position, inside its bucket's ball."""
    keys = everyone(buckets)
    slots = buckets.slot[keys]
    taken = buckets.key.reshape(-1) >= 0
    assert buckets.size == len(keys) == np.count_nonzero(taken) == buckets.members.sum()
    np.testing.assert_array_equal(buckets.key.reshape(-1)[slots], keys)
    np.testing.assert_array_equal(buckets.members, taken.reshape(-1, SLOTS).sum(axis=1))
    points = unit_vectors(buckets.lat[keys], buckets.lon[keys])
    np.testing.assert_array_equal(buckets.point.reshape(3, -1)[:, slots], points)
    in_use = buckets.bucket
    np.testing.assert_array_equal(np.isinf(buckets.point[0, in_use]), buckets.key[in_use] < 0)
    home = slots >> SLOTS_LOG2
    centre = -0.5 * buckets.centre_x_minus_2[:, home]
    assert np.all(np.sqrt(chord_squared(points, centre)) <= buckets.radius[home])
    np.testing.assert_array_equal(np.isinf(buckets.offset), buckets.members == 0)
    assert len(np.unique(buckets.bucket)) == len(buckets.bucket) == len(buckets.start)
    assert np.all(np.diff(buckets.start) >= 0)
    assert buckets.start[0] == 0


def filled(positions: Positions) -> Buckets:
    buckets = Buckets()
    buckets.put(np.arange(len(positions[0])), *positions)
    return buckets


def test_crowds_come_and_go():
    rng = np.random.default_rng(1)
    buckets = filled(uniform(rng, 30_000))
    for _ in range(5):
        who = rng.permutation(30_000)[:15_000]
        buckets.put(who, *cities(rng, 15_000))
        assert_sound(buckets)
        buckets.put(who, *uniform(rng, 15_000))
        assert_sound(buckets)
        gone = rng.permutation(everyone(buckets))[:10_000]
        buckets.remove(gone)
        assert_sound(buckets)
        buckets.put(gone, np.full(10_000, 52.0), np.full(10_000, 5.0))
        assert_sound(buckets)


def test_they_are_put_together_when_most_points_are_gone():
    buckets = filled(uniform(np.random.default_rng(2), 100_000))
    assert len(buckets.bucket) > 500
    buckets.remove(np.arange(2000, 100_000))
    assert_sound(buckets)
    assert len(buckets.bucket) < 50
    buckets.remove(np.arange(2000))
    assert_sound(buckets)
    assert len(buckets.bucket) < 10


def test_their_number_does_not_creep_while_people_wander():
    rng = np.random.default_rng(3)
    buckets = filled(cities(rng, 20_000))
    for _ in range(40):
        lats = np.clip(buckets.lat + rng.normal(0, 0.3, 20_000), -90, 90)
        lons = np.clip(buckets.lon + rng.normal(0, 0.3, 20_000), -180, 180)
        buckets.put(np.arange(20_000), lats, lons)
    assert_sound(buckets)
    assert len(buckets.bucket) * SLOTS < 4 * 20_000
    assert len(buckets.members) * SLOTS < 6 * 20_000


def test_balls_are_tight():
    """What makes a query quick. A square as large as one bucket's share has a radius of 0.71 sides."""
    buckets = filled(uniform(np.random.default_rng(4), 100_000))
    side = np.sqrt(4 * np.pi / len(buckets.bucket))
    radius = buckets.radius[buckets.members > 0]
    assert np.median(radius) < side


def test_neighbours_on_the_curve_are_neighbours_on_the_map():
    """Each step of a coarse curve goes one cell up, down, left or right, and no cell is visited twice."""
    side = 64
    column, row = np.divmod(np.arange(side * side), side)
    lats, lons = (row + 0.5) * 180 / side - 90, (column + 0.5) * 360 / side - 180
    order = np.argsort(curve.codes(lats, lons))
    steps = np.abs(np.diff(column[order])) + np.abs(np.diff(row[order]))
    assert np.all(steps == 1)


def test_codes_at_the_ends_of_the_range():
    lats, lons = np.array([-90.0, -90.0, 90.0, 90.0]), np.array([-180.0, 180.0, -180.0, 180.0])
    codes = curve.codes(lats, lons)
    assert len(set(codes.tolist())) == 4
    assert codes.min() == 0
    assert codes.max() < curve.END


def test_newcomers_go_to_the_bucket_whose_run_they_lie_on():
    rng = np.random.default_rng(5)
    buckets = Buckets()
    for begin in range(0, 200_000, 50_000):
        buckets.put(np.arange(begin, begin + 50_000), *uniform(rng, 50_000))
    run = np.empty(len(buckets.members), dtype=np.int64)
    run[buckets.bucket] = np.arange(len(buckets.bucket))
    codes = curve.codes(buckets.lat[:200_000], buckets.lon[:200_000])
    expected = np.searchsorted(buckets.start, codes, side="right") - 1
    np.testing.assert_array_equal(run[buckets.slot[:200_000] >> SLOTS_LOG2], expected)
