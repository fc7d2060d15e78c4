"""What the index must equal: every distance measured and sorted. And positions where grids go wrong."""

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from geo.distance import great_circle_m
from geo.nearest import NearestIndex
from geo.search import let_through

Positions = tuple[NDArray[np.float64], NDArray[np.float64]]


class Model:
    """The same puts and removes in plain arrays; queries by brute force."""

    def __init__(self, keys_max: int) -> None:
        self.lat = np.full(keys_max, np.nan)
        self.lon = np.full(keys_max, np.nan)

    def put(self, keys, lats, lons) -> None:
        for key, lat, lon in zip(keys, lats, lons, strict=True):
            self.lat[key], self.lon[key] = lat, lon

    def remove(self, keys) -> None:
        self.lat[keys] = np.nan

    def keys(self) -> NDArray[np.int64]:
        return np.flatnonzero(~np.isnan(self.lat))

    def nearest(self, lat, lon, k, distance_max_m=np.inf, keep=None):
        keys = self.keys()
        if keep is not None:
            keys = keys[keep(keys)]
        distance_m = great_circle_m(lat, lon, self.lat[keys], self.lon[keys])
        order = np.lexsort((keys, distance_m))
        order = order[distance_m[order] <= distance_max_m][:k]
        return keys[order], distance_m[order]


def assert_same(index: NearestIndex, model: Model, lat, lon, k, distance_max_m=np.inf, keep=None) -> None:
    """Same keys in the same order, the same distances to the last bit. `keep` maps keys to booleans."""
    through = None if keep is None else let_through(keep(np.arange(len(model.lat))))
    keys, distance_m = index.nearest(lat, lon, k, distance_max_m=distance_max_m, keep=through)
    expected_keys, expected_m = model.nearest(lat, lon, k, distance_max_m, keep)
    np.testing.assert_array_equal(keys, expected_keys)
    np.testing.assert_array_equal(distance_m, expected_m)


def uniform(rng: np.random.Generator, n: int) -> Positions:
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def around(rng: np.random.Generator, n: int, lat: float, lon: float, spread: float) -> Positions:
    """Scattered by `spread` degrees; over the pole and the antimeridian they come out on the other side."""
    lats = lat + rng.normal(0, spread, n)
    lons = lon + rng.normal(0, spread, n) / max(np.cos(np.radians(lat)), spread / 180, 1e-3)
    over = np.abs(lats) > 90
    lats = np.where(over, np.sign(lats) * 180 - lats, lats)
    lons = np.where(over, lons + 180, lons)
    return np.clip(lats, -90, 90), (lons + 180) % 360 - 180


def cities(rng: np.random.Generator, n: int) -> Positions:
    """Like people: many small towns, few large ones, on one stretch of land."""
    towns = np.random.default_rng(11)
    lat, lon, weight = (
        towns.uniform(50.8, 53.4, 300),
        towns.uniform(3.5, 7.0, 300),
        towns.pareto(1.2, 300) + 0.2,
    )
    town = rng.choice(300, n, p=weight / weight.sum())
    spread = 0.02 * np.sqrt(weight[town])
    return (
        np.clip(lat[town] + rng.normal(0, 1, n) * spread, -90, 90),
        (lon[town] + rng.normal(0, 1, n) * spread * 1.6 + 180) % 360 - 180,
    )


def lattice(rng: np.random.Generator, n: int) -> Positions:
    """A coarse lattice, so that many positions and many distances are exactly equal."""
    return rng.integers(-3, 4, n) * 0.25, rng.integers(-3, 4, n) * 0.25


PENTAGONS = [h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(4))]
SPECIAL = [
    (90.0, 0.0),
    (90.0, -180.0),
    (-90.0, 57.0),
    (89.9999, 180.0),
    (0.0, 180.0),
    (0.0, -180.0),
    (52.0, 179.9999),
    (-17.0, -179.9999),
    (0.0, 0.0),
    *PENTAGONS,
]
