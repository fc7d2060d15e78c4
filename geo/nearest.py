"""The medics nearest to an incident, exactly, however many there are and wherever they move.

Exactly means: what `great_circle_m` over all of them, sorted by (distance, key), would give, to the last bit.
The proof is short (docs/geo.md). Every bucket lies inside a ball; by the triangle inequality no point of it
is nearer to the query than the ball's edge. Once k admissible points are known, a bucket whose edge is
farther than the k-th of them holds no answer. Comparisons are made with a margin above their rounding, which
lets a few points more through and none less.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.buckets import Buckets
from geo.distance import arc_m, chord_squared, is_position, unit_vector
from geo.search import Distances, Keep, Keys, Search

KEY_MAX = 2**31 - 1

_NO_KEYS: Keys = np.empty(0, dtype=np.int64)
_NO_DISTANCES: Distances = np.empty(0)


class NearestIndex:
    """Moving points by key. Keys are small dense non-negative integers: memory follows the largest."""

    def __init__(self) -> None:
        self._buckets = Buckets()
        self._search = Search(self._buckets)

    def __len__(self) -> int:
        return self._buckets.size

    def __contains__(self, key: object) -> bool:
        slot = self._buckets.slot
        return isinstance(key, int | np.integer) and 0 <= int(key) < len(slot) and bool(slot[int(key)] >= 0)

    def position(self, key: int) -> tuple[float, float]:
        """Latitude and longitude in degrees, as they were put. KeyError if absent."""
        if key not in self:
            raise KeyError(key)
        return float(self._buckets.lat[key]), float(self._buckets.lon[key])

    def distances_m(self, lat: float, lon: float, keys: Keys) -> Distances:
        """Metres from a position in degrees to each of these keys, all of them present."""
        slots = self._buckets.slot.take(keys)
        points = self._buckets.point.reshape(3, -1).take(slots, axis=1)
        return arc_m(chord_squared(points, unit_vector(lat, lon)[:, None]))

    def put(self, key: int, lat: float, lon: float) -> None:
        """Add `key` or move it. ValueError for a position or key out of range."""
        if not (0 <= key <= KEY_MAX and is_position(lat, lon)):
            raise ValueError(f"no key and position: {key!r}, latitude {lat!r}, longitude {lon!r}")
        if not self._buckets.move_inside(key, lat, lon):
            self._buckets.put(np.array([key]), np.array([lat], float), np.array([lon], float))

    def put_many(self, keys: ArrayLike, lats: ArrayLike, lons: ArrayLike) -> None:
        """Add or move many, like `put` one by one. ValueError, and nothing changed, if any is bad."""
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
        if not len(keys):
            return
        if keys[-1] >= len(self._buckets.slot):
            raise KeyError(int(keys[-1]))
        absent = keys[self._buckets.slot[keys] < 0]
        if len(absent):
            raise KeyError(int(absent[0]))
        self._buckets.remove(keys)

    def nearest(
        self, lat: float, lon: float, k: int, *, distance_max_m: float = math.inf, keep: Keep | None = None
    ) -> tuple[Keys, Distances]:
        """The k nearest within `distance_max_m` (inclusive) that `keep` lets through, by (distance, key).

        Fewer than k come back where there are no more. ValueError for a position out of range, k < 0, or a
        NaN distance.
        """
        if not is_position(lat, lon) or k < 0 or math.isnan(distance_max_m):
            raise ValueError(
                f"latitude {lat!r}, longitude {lon!r}, k {k!r}, distance_max_m {distance_max_m!r}"
            )
        k = min(k, self._buckets.size)
        if k == 0 or distance_max_m < 0.0:
            return _NO_KEYS, _NO_DISTANCES
        keys, distances_m = self._search.nearest(lat, lon, k, distance_max_m, keep)
        if len(keys) and distances_m[-1] > distance_max_m:
            count = int(distances_m.searchsorted(distance_max_m, side="right"))
            return keys[:count], distances_m[:count]
        return keys, distances_m

    def within(
        self, lat: float, lon: float, distance_m: float, keep: Keep | None = None
    ) -> tuple[Keys, Distances]:
        """All within `distance_m` (inclusive) that `keep` lets through, by (distance, key)."""
        return self.nearest(lat, lon, max(len(self), 1), distance_max_m=distance_m, keep=keep)


def _degrees(values: ArrayLike, limit: float) -> NDArray[np.float64]:
    given = np.asarray(values)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "fiu"):
        raise ValueError(f"one row of degrees wanted, got shape {given.shape} of {given.dtype}")
    if not np.all((-limit <= given) & (given <= limit)):  # false for NaN too
        raise ValueError(f"degrees must be numbers from {-limit:g} to {limit:g}")
    return given.astype(np.float64)


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
    last: NDArray[np.int64] = order[np.append(~repeats, True)]
    return last
