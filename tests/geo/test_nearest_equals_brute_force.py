"""`NearestIndex` gives what measuring and sorting everything gives: keys, order and bits, for every input."""

import numpy as np
import pytest
from brute_force import SPECIAL, Model, around, assert_same, cities, lattice, uniform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from geo.distance import DISTANCE_MAX_M, great_circle_m
from geo.nearest import NearestIndex
from geo.search import let_through

KEYS = 3000
latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
positions = st.one_of(st.sampled_from(SPECIAL), st.tuples(latitudes, longitudes))
keys = st.integers(0, KEYS - 1)
seeds = st.integers(0, 2**32 - 1)
ks = st.sampled_from([1, 2, 20, 300, KEYS + 1])
reaches = st.sampled_from([np.inf, 0.0, 1.0, 2_000.0, 1e6, DISTANCE_MAX_M])


def filled(lats, lons) -> tuple[NearestIndex, Model]:
    index, model = NearestIndex(), Model(len(lats))
    index.put_many(np.arange(len(lats)), lats, lons)
    model.lat, model.lon = np.array(lats, float), np.array(lons, float)
    return index, model


@given(st.lists(positions, max_size=40), positions, ks, reaches)
@settings(max_examples=300, deadline=None)
def test_any_few_points(points, query, k, reach_m):
    index, model = filled([lat for lat, _ in points], [lon for _, lon in points])
    assert_same(index, model, *query, k, reach_m)


@given(st.lists(positions, min_size=1, max_size=40), positions)
@settings(max_examples=100, deadline=None)
def test_some_by_their_keys(points, query):
    index, model = filled([lat for lat, _ in points], [lon for _, lon in points])
    some = np.arange(len(points))[::-2]
    expected = great_circle_m(*query, model.lat[some], model.lon[some])
    np.testing.assert_array_equal(index.distances_m(*query, some), expected)


class Moving(RuleBasedStateMachine):
    """Puts, moves and removes, one and many, in crowds around the awkward spots, queried after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.index, self.model = NearestIndex(), Model(KEYS)
        self.query, self.k, self.reach_m, self.kept = (0.0, 0.0), 20, np.inf, 1.0

    @rule(key=keys, position=positions)
    def put(self, key, position):
        self.index.put(key, *position)
        self.model.put([key], [position[0]], [position[1]])

    @rule(
        seed=seeds, n=st.integers(1, 2 * KEYS), spot=positions, spread=st.sampled_from([0.0, 1e-7, 0.01, 3.0])
    )
    def put_crowd(self, seed, n, spot, spread):
        rng = np.random.default_rng(seed)
        self.put_many(rng.integers(0, KEYS, n), *around(rng, n, *spot, spread))

    @rule(seed=seeds, n=st.integers(1, KEYS), everywhere=st.sampled_from([uniform, cities, lattice]))
    def put_all_over(self, seed, n, everywhere):
        rng = np.random.default_rng(seed)
        self.put_many(rng.permutation(KEYS)[:n], *everywhere(rng, n))

    @rule(seed=seeds, step=st.sampled_from([1e-6, 0.001, 1.0]))
    def everyone_moves(self, seed, step):
        rng, here = np.random.default_rng(seed), self.model.keys()
        lats = np.clip(self.model.lat[here] + rng.normal(0, step, len(here)), -90, 90)
        lons = (self.model.lon[here] + rng.normal(0, step, len(here)) + 180) % 360 - 180
        self.put_many(here, lats, lons)

    def put_many(self, keys, lats, lons):
        self.index.put_many(keys, lats, lons)
        self.model.put(keys, lats, lons)

    @rule(seed=seeds, share=st.sampled_from([0.01, 0.5, 0.95, 1.0]))
    def remove_some(self, seed, share):
        rng, here = np.random.default_rng(seed), self.model.keys()
        gone = here[rng.random(len(here)) < share]
        self.index.remove_many(gone)
        self.model.remove(gone)

    @rule(data=st.data())
    def remove_one(self, data):
        if len(here := self.model.keys()):
            key = int(data.draw(st.sampled_from(here[:50].tolist())))
            self.index.remove(key)
            self.model.remove([key])
            assert key not in self.index

    @rule(query=positions, k=ks, reach_m=reaches, kept=st.sampled_from([1.0, 0.5, 0.02]))
    def ask(self, query, k, reach_m, kept):
        self.query, self.k, self.reach_m, self.kept = query, k, reach_m, kept

    @rule()
    def ask_at_a_medic(self):
        if len(here := self.model.keys()):
            self.query = float(self.model.lat[here[0]]), float(self.model.lon[here[0]])

    @invariant()
    def equals_brute_force(self):
        lets_through = None if self.kept == 1.0 else self.let_through
        assert_same(self.index, self.model, *self.query, self.k, self.reach_m, lets_through)

    def let_through(self, keys):
        return keys * 2654435761 % 1000 < self.kept * 1000

    @invariant()
    def knows_who_is_where(self):
        here = self.model.keys()
        assert len(self.index) == len(here)
        for key in here[:: max(1, len(here) // 20)]:
            assert key in self.index
            assert self.index.position(int(key)) == (self.model.lat[key], self.model.lon[key])


TestMoving = Moving.TestCase
TestMoving.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(("lat", "lon"), SPECIAL)
@pytest.mark.parametrize("spread", [1e-5, 0.05, 5.0])
def test_around_poles_antimeridian_and_pentagons(lat, lon, spread):
    rng = np.random.default_rng(7)
    index, model = filled(*around(rng, 5000, lat, lon, spread))
    for query in ((lat, lon), *zip(*around(rng, 10, lat, lon, spread), strict=True), (-lat, -lon)):
        assert_same(index, model, *query, 20)
        assert_same(index, model, *query, 20, 2_000.0)


def test_all_in_one_place_come_by_key():
    index, model = filled(np.full(5000, 52.09), np.full(5000, 5.12))
    found, distance_m = index.nearest(52.09, 5.12, 300)
    assert found.tolist() == list(range(300))
    assert not distance_m.any()
    assert_same(index, model, 52.1, 5.12, 5000)
    index.put_many(np.arange(5000), np.full(5000, -33.0), np.full(5000, 151.0))
    assert index.nearest(0.0, 0.0, 3)[0].tolist() == [0, 1, 2]


def test_exact_ties_are_broken_by_key():
    rng = np.random.default_rng(1)
    index, model = filled(*lattice(rng, 4000))
    _, distance_m = index.nearest(0.0, 0.0, 4000)
    assert len(np.unique(distance_m)) < 50
    for k in (1, 19, 20, 21, 500, 4000):
        assert_same(index, model, 0.0, 0.0, k)
        assert_same(index, model, 0.125, 0.125, k)


def test_distances_equal_only_after_rounding_are_ties_too():
    """Steps of one unit in the last place: several squared chords share one distance, and the key decides."""
    lons = 170.0 + np.arange(150)[::-1] * np.spacing(170.0)
    index, model = filled(np.full(150, 40.0), lons)
    _, distance_m = index.nearest(3.0, 0.0, 150)
    assert len(np.unique(distance_m)) < 50
    for k in range(1, 151):
        assert_same(index, model, 3.0, 0.0, k)


def test_distance_max_is_inclusive():
    index, model = filled(*cities(np.random.default_rng(2), 2000))
    farthest_m = float(index.nearest(52.0, 5.0, 37)[1][-1])
    assert len(index.nearest(52.0, 5.0, 2000, distance_max_m=farthest_m)[0]) == 37
    assert len(index.nearest(52.0, 5.0, 2000, distance_max_m=np.nextafter(farthest_m, 0))[0]) == 36
    assert_same(index, model, 52.0, 5.0, 2000, farthest_m)


def test_within_finds_all_of_them():
    index, model = filled(*cities(np.random.default_rng(3), 20_000))
    found, distance_m = index.within(52.1, 5.1, 30_000.0, keep=let_through(np.arange(20_000) % 2 == 0))
    expected, expected_m = model.nearest(52.1, 5.1, 20_000, 30_000.0, lambda keys: keys % 2 == 0)
    assert len(found) > 100
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(distance_m, expected_m)


def test_fewer_than_k_in_a_sparse_ocean():
    index, model = filled([0.0, 10.0, -45.0], [-150.0, 170.0, 0.0])
    for query in ((0.0, 0.0), (0.0, 180.0), (-90.0, 0.0)):
        assert_same(index, model, *query, 20)
    assert len(index.nearest(0.0, 0.0, 20)[0]) == 3


def test_an_empty_index_finds_nobody():
    index = NearestIndex()
    found, distance_m = index.nearest(0.0, 0.0, 5)
    assert (len(found), len(distance_m), len(index)) == (0, 0, 0)


@pytest.mark.parametrize("everywhere", [uniform, cities])
def test_a_filter_that_rejects_nearly_all(everywhere):
    rng = np.random.default_rng(4)
    index, model = filled(*everywhere(rng, 100_000))
    wanted = np.zeros(100_000, dtype=bool)
    wanted[rng.permutation(100_000)[:30]] = True
    for lat, lon in zip(*everywhere(rng, 5), strict=True):
        for k in (1, 20, 30, 31):
            assert_same(index, model, lat, lon, k, keep=lambda keys: wanted[keys])


def test_a_filter_lets_nobody_through_beyond_its_end():
    index, _ = filled(*uniform(np.random.default_rng(9), 1000))
    assert sorted(index.nearest(0.0, 0.0, 1000, keep=let_through(np.ones(10, dtype=bool)))[0]) == list(
        range(10)
    )
    assert not len(index.nearest(0.0, 0.0, 1000, keep=let_through(np.empty(0, dtype=bool)))[0])


@pytest.mark.parametrize("everywhere", [uniform, cities])
def test_100_000_after_many_moves(everywhere):
    rng = np.random.default_rng(5)
    index, model = filled(*everywhere(rng, 100_000))
    for moved in (500, 20_000, 100_000):
        who = rng.permutation(100_000)[:moved]
        lats, lons = everywhere(rng, moved)
        index.put_many(who, lats, lons)
        model.lat[who], model.lon[who] = lats, lons
        for lat, lon in zip(*everywhere(rng, 20), strict=True):
            assert_same(index, model, lat, lon, 20)


def test_emptied_regions_do_not_linger():
    rng = np.random.default_rng(6)
    index, model = filled(*uniform(rng, 50_000))
    who = np.arange(49_000)
    index.remove_many(who)
    model.remove(who)
    for lat, lon in zip(*uniform(rng, 20), strict=True):
        assert_same(index, model, lat, lon, 20)


def test_a_million():
    rng = np.random.default_rng(8)
    index, model = filled(*cities(rng, 1_000_000))
    for lat, lon in zip(*cities(rng, 5), strict=True):
        assert_same(index, model, lat, lon, 20)
    assert_same(index, model, -52.0, -175.0, 20)
