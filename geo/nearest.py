"""The medics nearest to an incident, exactly, however many there are and wherever they move.

Exactly means: what `great_circle_m` over all of them, sorted by (distance, key), would give, to the last bit. The
proof is short (docs/geo.md). Every bucket lies inside a ball; by the triangle inequality no point of it is nearer
to the query than the ball's edge. Once k admissible points are known, a bucket whose edge is farther than the
k-th of them holds no answer. Comparisons on this side of the final sort are made with a margin above their
rounding, which lets a few points more through and none less.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.buckets import Buckets
from geo.distance import arc_m, chord, chord_squared, unit_vector

Keys = NDArray[np.int64]
Distances = NDArray[np.float64]
Squares = NDArray[np.float64]
"""Squared chords, in Earth radii squared."""
Keep = Callable[[Keys], NDArray[np.bool_]]

KEY_MAX = 2**31 - 1
_REL = 1.0 + 1e-12
"""Above the rounding of a squared chord and of the distance made from it (a few units in 1e-16)."""
_ABS = 1e-14
"""Above the rounding of power + (-2c).q, whose terms are at most 4 (a few units in 1e-16): 0.6 m at distance 0."""
_AT_ONCE, _AT_ONCE_MAX = 32, 1024
"""Buckets looked at together: first, and after each look four times as many, up to 6 MiB of points."""

_NO_KEYS: Keys = np.empty(0, dtype=np.int64)
_NO_DISTANCES: Distances = np.empty(0)


class NearestIndex:
    """Moving points by key. Keys are small dense non-negative integers: memory follows the largest."""

    def __init__(self) -> None:
        self._buckets = Buckets()

    def __len__(self) -> int:
        return self._buckets.size

    def __contains__(self, key: object) -> bool:
        return (
            isinstance(key, int | np.integer)
            and 0 <= key < len(self._buckets.slot)
            and bool(self._buckets.slot[key] >= 0)
        )

    def position(self, key: int) -> tuple[float, float]:
        """Latitude and longitude in degrees, as they were put. KeyError if absent."""
        if key not in self:
            raise KeyError(key)
        return float(self._buckets.lat[key]), float(self._buckets.lon[key])

    def put(self, key: int, lat: float, lon: float) -> None:
        """Add `key` or move it. ValueError for a position or key out of range."""
        self.put_many(np.array([key]), np.array([lat]), np.array([lon]))

    def put_many(self, keys: ArrayLike, lats: ArrayLike, lons: ArrayLike) -> None:
        """Add or move many, as by `put` one after the other. ValueError, and nothing changed, if any is bad."""
        keys, lats, lons = _checked_keys(keys), _degrees(lats, 90.0), _degrees(lons, 180.0)
        if not len(keys) == len(lats) == len(lons):
            raise ValueError(f"{len(keys)} keys, {len(lats)} latitudes, {len(lons)} longitudes")
        if not len(keys):
            return
        last = _last_of_each(keys)
        if last is not None:
            keys, lats, lons = keys[last], lats[last], lons[last]
        self._buckets.put(keys, lats, lons)

    def remove(self, key: int) -> None:
        """Forget `key`. KeyError if absent."""
        self.remove_many(np.array([key]))

    def remove_many(self, keys: ArrayLike) -> None:
        """Forget many; a key given twice counts once. KeyError, and nothing changed, if one is absent."""
        keys = np.unique(_checked_keys(keys))
        slot = self._buckets.slot
        absent = (
            keys[(keys >= len(slot)) | (slot[np.minimum(keys, len(slot) - 1)] < 0)] if len(slot) else keys
        )
        if len(absent):
            raise KeyError(int(absent[0]))
        if len(keys):
            self._buckets.remove(keys)

    def nearest(
        self, lat: float, lon: float, k: int, *, distance_max_m: float = math.inf, keep: Keep | None = None
    ) -> tuple[Keys, Distances]:
        """The k nearest within `distance_max_m` (inclusive) that `keep` lets through, by (distance, key).

        `keep` maps an array of keys to an array of booleans and is asked about a key once at most. Fewer than k
        come back where there are no more. ValueError for a position out of range, k < 0, or a NaN distance.
        """
        query = _checked_query(lat, lon)
        if k < 0 or math.isnan(distance_max_m):
            raise ValueError(f"k = {k}, distance_max_m = {distance_max_m}")
        if k == 0 or distance_max_m < 0.0 or not self._buckets.size:
            return _NO_KEYS, _NO_DISTANCES
        keys, chords_sq = _search(self._buckets, query, k, min(chord(distance_max_m) ** 2, 4.0) * _REL, keep)
        distance_m = arc_m(chords_sq)
        order = np.lexsort((keys, distance_m))[:k]
        keys, distance_m = keys[order], distance_m[order]
        count = int(np.searchsorted(distance_m, distance_max_m, side="right"))
        return keys[:count], distance_m[:count]

    def within(
        self, lat: float, lon: float, distance_m: float, keep: Keep | None = None
    ) -> tuple[Keys, Distances]:
        """All within `distance_m` (inclusive) that `keep` lets through, by (distance, key)."""
        return self.nearest(lat, lon, max(len(self), 1), distance_max_m=distance_m, keep=keep)


def _search(
    buckets: Buckets, query: NDArray[np.float64], k: int, bound: float, keep: Keep | None
) -> tuple[Keys, Squares]:
    """Keys and squared chords, unsorted, that hold the k nearest within the squared chord `bound`, and few more."""
    edge = buckets.centre_x_minus_2 @ query
    edge += buckets.power
    home = int(edge.argmin())
    keys, squares = _look(buckets, np.array([home]), query, bound, keep)
    keys, squares, bound = _nearer(keys, squares, k, bound)
    edge[home] = np.inf
    rest = np.flatnonzero(edge <= _reach(bound, buckets.radius))
    at_once = _AT_ONCE
    if len(rest) > at_once:
        radius = buckets.radius[rest]
        rest = rest[np.argsort(np.sqrt(np.maximum(edge[rest] + radius * radius, 0.0)) - radius)]
    while len(rest):
        more_keys, more_squares = _look(buckets, rest[:at_once], query, bound, keep)
        keys, squares = np.concatenate((keys, more_keys)), np.concatenate((squares, more_squares))
        rest = rest[at_once:]
        if len(rest):
            keys, squares, bound = _nearer(keys, squares, k, bound)
            rest = rest[edge[rest] <= _reach(bound, buckets.radius[rest])]
        at_once = min(at_once * 4, _AT_ONCE_MAX)
    return keys, squares


def _look(
    buckets: Buckets, some: NDArray[np.int64], query: NDArray[np.float64], bound: float, keep: Keep | None
) -> tuple[Keys, Squares]:
    """Keys and squared chords of the points in some buckets that lie within `bound` and that `keep` lets through."""
    squares = chord_squared(buckets.point[:, some], query[:, None, None]).reshape(-1)
    hits = np.flatnonzero(squares <= bound)
    keys = buckets.key[some].reshape(-1)[hits].astype(np.int64)
    squares = squares[hits]
    if keep is None or not len(keys):
        return keys, squares
    kept = np.asarray(keep(keys), dtype=bool)
    return keys[kept], squares[kept]


def _nearer(keys: Keys, squares: Squares, k: int, bound: float) -> tuple[Keys, Squares, float]:
    """The bound lowered to the k-th nearest found, with those found that are still within it."""
    if len(keys) < k:
        return keys, squares, bound
    bound = min(bound, float(np.partition(squares, k - 1)[k - 1]) * _REL)
    within = squares <= bound
    return keys[within], squares[within], bound


def _reach(bound: float, radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most that |q - c|^2 - r^2 can be for a ball that a sphere of squared radius `bound` about q meets."""
    reach = radius * (2.0 * math.sqrt(bound))
    reach += bound + _ABS
    return reach


def _checked_query(lat: float, lon: float) -> NDArray[np.float64]:
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise ValueError(f"no position: latitude {lat}, longitude {lon}")
    return unit_vector(lat, lon)


def _degrees(values: ArrayLike, limit: float) -> NDArray[np.float64]:
    degrees = np.asarray(values, dtype=np.float64)
    if degrees.ndim != 1:
        raise ValueError(f"one row of degrees wanted, got shape {degrees.shape}")
    if not np.all(np.abs(degrees) <= limit):  # false for NaN too
        raise ValueError(f"degrees must be numbers from {-limit:g} to {limit:g}")
    return degrees


def _checked_keys(keys: ArrayLike) -> Keys:
    given = np.asarray(keys)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"one row of integer keys wanted, got shape {given.shape} of {given.dtype}")
    if given.size and not 0 <= given.min() <= given.max() <= KEY_MAX:
        raise ValueError(f"keys must be from 0 to {KEY_MAX}")
    return given.astype(np.int64)


def _last_of_each(keys: Keys) -> NDArray[np.int64] | None:
    """Where each distinct key stands last, or None where all are distinct."""
    order = np.argsort(keys, kind="stable")
    repeats = keys[order[1:]] == keys[order[:-1]]
    if not repeats.any():
        return None
    return order[np.append(~repeats, True)]
