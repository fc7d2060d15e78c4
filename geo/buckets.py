"""Where the index keeps its points: buckets of neighbours, each inside a ball measured from its own points.

A bucket is a fixed row of slots that owns a run of the curve (`curve.codes`). It takes newcomers of its run; when
it is full, its members are dealt out over several, in curve order. A point that moves inside its bucket's ball
stays where it is. Only the balls must be right, for answers to be exact: a ball holds every point of its bucket.
The runs only decide how tight the balls are.

Everything is an array: by key (position, slot), by slot (key, point) and by bucket (ball, run, number of
members). An empty slot's point lies at infinity, so that no distance test has to ask whether it is taken.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geo import curve
from geo.distance import unit_vectors

SLOTS_LOG2 = 8
SLOTS = 1 << SLOTS_LOG2
FILL = SLOTS * 3 // 4
"""Members a bucket is given when many are dealt out: room for a quarter more, before it is dealt out again."""
FILL_MIN = 0.3
"""Below this share of taken slots, sparse neighbours are put together again."""

_AT_ONCE = 512
"""Buckets measured together: 3 MiB of points, about what stays in a core's cache."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_Item = TypeVar("_Item", bound=np.generic)


class Buckets:
    """Points by key, in buckets. Arguments have been checked by `NearestIndex`; keys in one call are distinct."""

    def __init__(self) -> None:
        self.size = 0
        # By key. A slot of -1: no such key.
        self.slot = np.empty(0, dtype=np.int32)
        self.lat = np.empty(0)
        self.lon = np.empty(0)
        # By slot: bucket << SLOTS_LOG2 | place in it. A key of -1: empty.
        self.key = np.empty((0, SLOTS), dtype=np.int32)
        self.point = np.empty((3, 0, SLOTS))
        # By bucket.
        self.members = np.empty(0, dtype=np.int64)
        self.radius = np.empty(0)
        self.centre_x_minus_2 = np.empty((0, 3))
        self.power = np.empty(0)
        """|c|^2 + 1 - r^2, so that power + (-2c).q = |q - c|^2 - r^2 for a unit vector q; inf for an empty bucket."""
        # By place on the curve: where a bucket's run starts, and which bucket.
        self.start = np.zeros(1, dtype=np.int64)
        self.bucket = np.empty(0, dtype=np.int64)
        self._spare = np.empty(0, dtype=np.int64)
        self._add_buckets(1)
        self.bucket = self._take(1)

    def put(self, keys: Ints, lats: Floats, lons: Floats) -> None:
        """Add or move distinct keys."""
        self._make_room(int(keys.max()) + 1)
        points = unit_vectors(lats, lons)
        slots = self.slot[keys]
        stays = slots >= 0
        known = np.flatnonzero(stays)
        stays[known] = self._in_ball(slots[known] >> SLOTS_LOG2, points[:, known])
        self.lat[keys] = lats
        self.lon[keys] = lons
        self._place(slots[stays], points[:, stays])
        self._clear(slots[(slots >= 0) & ~stays])
        comes = np.flatnonzero(~stays)
        if len(comes):
            self._insert(keys[comes], points[:, comes], curve.codes(lats[comes], lons[comes]))
            self._merge_if_sparse()

    def remove(self, keys: Ints) -> None:
        """Forget distinct keys, all of them present."""
        self._clear(self.slot[keys])
        self.slot[keys] = -1
        self._merge_if_sparse()

    def _in_ball(self, buckets: NDArray[np.integer], points: Floats) -> NDArray[np.bool_]:
        d = points.T + 0.5 * self.centre_x_minus_2[buckets]
        return np.einsum("ij,ij->i", d, d) <= self.radius[buckets] ** 2

    def _place(self, slots: NDArray[np.integer], points: Floats) -> None:
        for axis, coordinates in zip(self.point, points, strict=True):
            axis.reshape(-1)[slots] = coordinates

    def _clear(self, slots: NDArray[np.integer]) -> None:
        self.key.reshape(-1)[slots] = -1
        self.point[0].reshape(-1)[slots] = np.inf
        self.members -= np.bincount(slots >> SLOTS_LOG2, minlength=len(self.members))
        self.size -= len(slots)

    def _insert(self, keys: Ints, points: Floats, codes: Ints) -> None:
        """Put newcomers into free slots of the buckets whose runs they lie on; deal out anew the buckets too full."""
        at = np.searchsorted(self.start, codes, side="right") - 1
        arrivals = np.bincount(at, minlength=len(self.start))
        full = self.members[self.bucket] + arrivals > SLOTS
        fits = np.flatnonzero(~full[at])
        if len(fits):
            fits = fits[np.argsort(at[fits], kind="stable")]
            self._fill(keys[fits], points[:, fits], np.where(full, 0, arrivals))
        if full.any():
            places, late = np.flatnonzero(full), np.flatnonzero(full[at])
            self._deal(places, places + 1, keys[late], codes[late], (np.cumsum(full) - 1)[at[late]])

    def _fill(self, keys: Ints, points: Floats, arrivals: Ints) -> None:
        """Write keys, sorted along the curve, into free slots: `arrivals[i]` of them into the i-th bucket on it."""
        places = np.flatnonzero(arrivals)
        buckets = self.bucket[places]
        free = self.key[buckets] < 0
        free &= np.cumsum(free, axis=1, dtype=np.int16) <= arrivals[places][:, None]
        taken = np.flatnonzero(free)
        of = buckets[taken >> SLOTS_LOG2]
        self._write(keys, of << SLOTS_LOG2 | taken & (SLOTS - 1), points)
        outside = np.zeros(len(self.members), dtype=bool)
        outside[of[~self._in_ball(of, points)]] = True
        self._measure(np.flatnonzero(outside))

    def _deal(self, begin: Ints, end: Ints, keys: Ints, codes: Ints, group: Ints) -> None:
        """Deal out, group by group, the members of the buckets at places begin..end of the curve and some newcomers.

        `group` says for each newcomer, whose position is already known by key, which group it joins. A member that
        moved inside its ball off its group's stretch of the curve counts as lying at the nearer end.
        """
        places = np.concatenate([np.arange(b, e) for b, e in zip(begin, end, strict=True)])
        old, group_of = self.bucket[places], np.repeat(np.arange(len(begin)), end - begin)
        low = self.start[begin]
        high = np.maximum(np.append(self.start, curve.END)[end] - 1, low)

        row, column = np.nonzero(self.key[old] >= 0)
        members, of = self.key[old[row], column].astype(np.int64), group_of[row]
        member_codes = np.clip(curve.codes(self.lat[members], self.lon[members]), low[of], high[of])
        keys, codes = np.concatenate((members, keys)), np.concatenate((member_codes, codes))
        group = np.concatenate((of, group))
        order = np.lexsort((codes, group))
        keys, codes, group = keys[order], codes[order], group[order]

        hand, place, hands = _hands(group, len(begin))
        start = low[np.repeat(np.arange(len(begin)), hands)]
        heads = np.flatnonzero(place == 0)
        start[hand[heads]] = np.where(np.diff(group[heads], prepend=-1) > 0, low[group[heads]], codes[heads])
        self._free(old)
        fresh = self._take(len(start))
        self._write(keys, fresh[hand] << SLOTS_LOG2 | place, unit_vectors(self.lat[keys], self.lon[keys]))
        self._measure(fresh)
        self._renew_curve(places, start, fresh)

    def _write(self, keys: Ints, slots: Ints, points: Floats) -> None:
        self._place(slots, points)
        self.key.reshape(-1)[slots] = keys
        self.slot[keys] = slots
        self.members += np.bincount(slots >> SLOTS_LOG2, minlength=len(self.members))
        self.size += len(keys)

    def _measure(self, buckets: Ints) -> None:
        """Give buckets the ball about the middle of their points' bounding box."""
        for some in np.split(buckets, range(_AT_ONCE, len(buckets), _AT_ONCE)):
            points, taken = self.point[:, some], self.key[some] >= 0
            middle = 0.5 * (
                np.min(points, axis=2, where=taken, initial=2.0)
                + np.max(points, axis=2, where=taken, initial=-2.0)
            )
            points -= middle[:, :, None]
            points *= points
            square = points[0] + points[1] + points[2]
            farthest = np.sqrt(np.max(square, axis=1, where=taken, initial=0.0))
            # The ball's edge is rounded outwards, so that a point on it is inside by any order of operations.
            radius = farthest * (1.0 + 1e-12) + 1e-15
            self.radius[some] = radius
            self.centre_x_minus_2[some] = -2.0 * middle.T
            self.power[some] = np.where(
                taken.any(axis=1), np.einsum("ij,ij->j", middle, middle) + 1.0 - radius * radius, np.inf
            )

    def _merge_if_sparse(self) -> None:
        """Put neighbours together once most slots are empty, so that work and memory follow the number of points."""
        if self.size > FILL_MIN * SLOTS * (len(self.start) - 8):
            return
        group = np.cumsum(self.members[self.bucket]) // FILL
        begin = np.flatnonzero(np.diff(group, prepend=-1))
        end = np.append(begin[1:], len(group))
        several = end - begin > 1
        none = np.empty(0, dtype=np.int64)
        self._deal(begin[several], end[several], none, none, none)

    def _renew_curve(self, places: Ints, start: Ints, buckets: Ints) -> None:
        start = np.concatenate((np.delete(self.start, places), start))
        order = np.argsort(start, kind="stable")
        self.bucket = np.concatenate((np.delete(self.bucket, places), buckets))[order]
        self.start = start[order]

    def _free(self, buckets: Ints) -> None:
        self.size -= int(self.members[buckets].sum())
        self.key[buckets] = -1
        self.point[0, buckets] = np.inf
        self.members[buckets] = 0
        self.power[buckets] = np.inf
        self._spare = np.concatenate((self._spare, buckets))

    def _take(self, count: int) -> Ints:
        missing = count - len(self._spare)
        if missing > 0:
            self._add_buckets(missing)
        taken, self._spare = self._spare[:count], self._spare[count:]
        return taken

    def _add_buckets(self, missing: int) -> None:
        now = len(self.members)
        count = now + max(missing, now // 4)
        self.key = _grown(self.key, count, -1)
        self.point = np.stack([_grown(axis, count, np.inf) for axis in self.point])
        self.members = _grown(self.members, count, 0)
        self.radius = _grown(self.radius, count, 0.0)
        self.centre_x_minus_2 = _grown(self.centre_x_minus_2, count, 0.0)
        self.power = _grown(self.power, count, np.inf)
        self._spare = np.concatenate((self._spare, np.arange(now, count)))

    def _make_room(self, keys: int) -> None:
        if keys > len(self.slot):
            count = max(keys, len(self.slot) * 5 // 4)
            self.slot = _grown(self.slot, count, -1)
            self.lat = _grown(self.lat, count, np.nan)
            self.lon = _grown(self.lon, count, np.nan)


def _hands(group: Ints, groups: int) -> tuple[Ints, Ints, Ints]:
    """Deal sorted groups into hands of at most SLOTS, as even as can be.

    `group` is each card's group, ascending. Returns each card's hand, numbered through all groups, its place in the
    hand, and the number of hands of each group, at least one.
    """
    cards = np.bincount(group, minlength=groups)
    hands = np.where(cards > SLOTS, -(-cards // FILL), 1)
    n, of = cards[group], hands[group]
    rank = np.arange(len(group)) - (np.cumsum(cards) - cards)[group]
    hand = rank * of // n
    return (np.cumsum(hands) - hands)[group] + hand, rank + (-hand * n // of), hands


def _grown(array: NDArray[_Item], count: int, filler: float) -> NDArray[_Item]:
    """A copy with its first axis lengthened to `count`, the new part filled."""
    longer = np.full((count, *array.shape[1:]), filler, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
