"""Where the index keeps its points: buckets of neighbours, each inside a ball measured from its own points.

A bucket is a fixed row of slots that owns a run of the curve (`curve.codes`). It takes newcomers of its run;
when it is full, its members are dealt out over several, in curve order. A point that moves inside its
bucket's ball stays where it is. For answers to be exact only the balls must be right: a ball holds every
point of its bucket. The runs only decide how tight the balls are.

Everything is an array: by key (position, slot), by slot (key, point) and by bucket (ball, run, number of
members). An empty slot's point lies at infinity, so that no distance test has to ask whether it is taken.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geo import curve
from geo.distance import chord_squared, unit_vector, unit_vectors

SLOTS_LOG2 = 8
SLOTS = 1 << SLOTS_LOG2
FILL = SLOTS * 3 // 4
"""Members a bucket is given when many are dealt out, so that a third more find room in it."""
FILL_MIN = 0.3
"""Below this share of taken slots, sparse neighbours are put together again."""

_AT_ONCE = 512
"""Buckets measured together: 3 MiB of points, about what stays in a core's cache."""

_DEALT_AT_ONCE = 64
"""Full buckets dealt out together."""

Ints = NDArray[np.int64]
Slots = NDArray[np.signedinteger]
Floats = NDArray[np.float64]
_Item = TypeVar("_Item", bound=np.generic)


class Buckets:
    """Points by key, in buckets. `NearestIndex` checks the arguments; keys in one call are distinct."""

    def __init__(self) -> None:
        self.size = 0
        self.changes = 0
        """How often balls, curve or arrays were replaced: what stands on them is then to be made anew."""
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
        self.centre_x_minus_2 = np.empty((3, 0))
        self.offset = np.empty(0)
        """|c|^2 + 1: offset + (-2c).q = |q - c|^2 for a unit vector q. Infinite for an empty bucket."""
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

    def move_inside(self, key: int, lat: float, lon: float) -> bool:
        """Move one key if it is here and stays inside its bucket's ball; else change nothing and say False.

        What `put` would do for it, at a tenth of the cost: nearly every position report of a moving medic.
        """
        slot = int(self.slot[key]) if key < len(self.slot) else -1
        if slot < 0:
            return False
        bucket, place = slot >> SLOTS_LOG2, slot & (SLOTS - 1)
        point = unit_vector(lat, lon)
        if not self._in_ball(bucket, point):
            return False
        self.lat[key], self.lon[key] = lat, lon
        self.point[:, bucket, place] = point
        return True

    def remove(self, keys: Ints) -> None:
        """Forget distinct keys, all of them present."""
        self._clear(self.slot[keys])
        self.slot[keys] = -1
        self._merge_if_sparse()

    def _in_ball(self, buckets: Slots | int, points: Floats) -> NDArray[np.bool_]:
        square = chord_squared(points, -0.5 * self.centre_x_minus_2[:, buckets])
        inside: NDArray[np.bool_] = square <= self.radius[buckets] ** 2
        return inside

    def _place(self, slots: Slots, points: Floats) -> None:
        for axis, coordinates in zip(self.point, points, strict=True):
            axis.reshape(-1)[slots] = coordinates

    def _clear(self, slots: Slots) -> None:
        self.key.reshape(-1)[slots] = -1
        self.point[0].reshape(-1)[slots] = np.inf
        self.size -= len(slots)
        left = slots >> SLOTS_LOG2
        np.subtract.at(self.members, left, 1)
        self._measure(np.unique(left[self.members[left] == 0]))

    def _insert(self, keys: Ints, points: Floats, codes: Ints) -> None:
        """Put newcomers into free slots of the buckets whose runs they lie on; deal out the full ones."""
        at = np.searchsorted(self.start, codes, side="right") - 1
        order = np.argsort(at, kind="stable")
        places, arrivals = np.unique_counts(at[order])
        full = self.members[self.bucket[places]] + arrivals > SLOTS
        too_many = np.repeat(full, arrivals)
        fits, late = order[~too_many], order[too_many]
        if len(fits):
            self._fill(self.bucket[places[~full]], arrivals[~full], keys[fits], points[:, fits])
        places, ends = places[full], np.cumsum(arrivals[full])
        # From the last to the first, so that the places still to come keep their numbers; few at a time, so
        # that the work stays in the cache and leaves no large holes in the heap.
        for begin in reversed(range(0, len(places), _DEALT_AT_ONCE)):
            end = min(begin + _DEALT_AT_ONCE, len(places))
            part = slice(ends[begin - 1] if begin else 0, ends[end - 1])
            group = np.searchsorted(ends, np.arange(part.start, part.stop), side="right") - begin
            self._deal(places[begin:end], np.arange(end - begin), keys[late[part]], codes[late[part]], group)

    def _fill(self, buckets: Ints, arrivals: Ints, keys: Ints, points: Floats) -> None:
        """Write the first `arrivals[0]` keys into free slots of `buckets[0]`, and so on."""
        free = self.key[buckets] < 0
        free &= np.cumsum(free, axis=1, dtype=np.int16) <= arrivals[:, None]
        taken = np.flatnonzero(free)
        of = buckets[taken >> SLOTS_LOG2]
        self._write(keys, of << SLOTS_LOG2 | taken & (SLOTS - 1), points)
        self._measure(np.unique(of[~self._in_ball(of, points)]))

    def _deal(self, places: Ints, group_of: Ints, keys: Ints, codes: Ints, group: Ints) -> None:
        """Deal out, group by group, newcomers and the members of the buckets at some places on the curve.

        `group_of` numbers the places 0, 0, 1, ...: a group is a run of neighbours. `group` says which of them
        each newcomer joins; its position is known by key already.
        """
        first = np.flatnonzero(np.diff(group_of, prepend=-1))
        low = self.start[places[first]]
        members, member_codes, joins = self._members(places, group_of, first, low)
        keys, codes = np.concatenate((members, keys)), np.concatenate((member_codes, codes))
        group = np.concatenate((joins, group))
        order = np.lexsort((codes, group))
        keys, codes = keys[order], codes[order]

        hand, place, hands = _hands(group[order], len(first))
        start = np.empty(hands.sum(), dtype=np.int64)
        start[hand[place == 0]] = codes[place == 0]
        start[np.cumsum(hands) - hands] = low
        self._free(self.bucket[places])
        fresh = self._take(len(start))
        self._write(keys, fresh[hand] << SLOTS_LOG2 | place, unit_vectors(self.lat[keys], self.lon[keys]))
        self._measure(fresh)
        self._renew_curve(places, start, fresh)

    def _members(self, places: Ints, group_of: Ints, first: Ints, low: Ints) -> tuple[Ints, Ints, Ints]:
        """Keys, codes and groups of those in the buckets at some places.

        One that moved inside its ball off its group's stretch of the curve counts as lying at the nearer end.
        """
        last = np.append(first[1:], len(places)) - 1
        high = np.maximum(np.append(self.start, curve.END)[places[last] + 1] - 1, low)
        held = self.key[self.bucket[places]]
        row, column = np.nonzero(held >= 0)
        keys, group = held[row, column].astype(np.int64), group_of[row]
        codes = np.clip(curve.codes(self.lat[keys], self.lon[keys]), low[group], high[group])
        return keys, codes, group

    def _write(self, keys: Ints, slots: Ints, points: Floats) -> None:
        self._place(slots, points)
        self.key.reshape(-1)[slots] = keys
        self.slot[keys] = slots
        np.add.at(self.members, slots >> SLOTS_LOG2, 1)
        self.size += len(keys)

    def _measure(self, buckets: Ints) -> None:
        """Give buckets the ball about the middle of their points' bounding box."""
        self.changes += 1
        for begin in range(0, len(buckets), _AT_ONCE):
            some = buckets[begin : begin + _AT_ONCE]
            points, taken = self.point[:, some], self.key[some] >= 0
            low = np.min(points, axis=2, where=taken, initial=2.0)
            middle = 0.5 * (low + np.max(points, axis=2, where=taken, initial=-2.0))
            square = chord_squared(points, middle[:, :, None])
            farthest = np.sqrt(np.max(square, axis=1, where=taken, initial=0.0))
            # The ball's edge is rounded outwards, so that a point on it is inside by any order of operations.
            self.radius[some] = farthest * (1.0 + 1e-12) + 1e-15
            self.centre_x_minus_2[:, some] = -2.0 * middle
            offset = middle[0] ** 2 + middle[1] ** 2 + middle[2] ** 2 + 1.0
            self.offset[some] = np.where(self.members[some] > 0, offset, np.inf)

    def _merge_if_sparse(self) -> None:
        """Put neighbours together once most slots are empty: work and memory follow the number of points."""
        if self.size > FILL_MIN * SLOTS * (len(self.start) - 8):
            return
        group = np.cumsum(self.members[self.bucket]) // FILL
        with_next = np.append(np.diff(group) == 0, False)
        places = np.flatnonzero(with_next | np.roll(with_next, 1))
        group_of = np.cumsum(np.diff(group[places], prepend=group[places[0]]) > 0, dtype=np.int64)
        none = np.empty(0, dtype=np.int64)
        self._deal(places, group_of, none, none, none)

    def _renew_curve(self, places: Ints, start: Ints, buckets: Ints) -> None:
        self.changes += 1
        start = np.concatenate((np.delete(self.start, places), start))
        order = np.argsort(start, kind="stable")
        self.bucket = np.concatenate((np.delete(self.bucket, places), buckets))[order]
        self.start = start[order]

    def _free(self, buckets: Ints) -> None:
        self.size -= int(self.members[buckets].sum())
        self.key[buckets] = -1
        self.members[buckets] = 0
        self.offset[buckets] = np.inf
        self._spare = np.concatenate((self._spare, buckets))

    def _take(self, count: int) -> Ints:
        missing = count - len(self._spare)
        if missing > 0:
            self._add_buckets(missing)
        taken, self._spare = self._spare[:count], self._spare[count:]
        self.point[:, taken] = np.inf
        return taken

    def _add_buckets(self, missing: int) -> None:
        self.changes += 1
        now = len(self.members)
        count = now + max(missing, now // 4)
        self.key = _grown(self.key, count, -1)
        self.point = _grown(self.point, count, None, axis=1)
        self.members = _grown(self.members, count, 0)
        self.radius = _grown(self.radius, count, 0.0)
        self.centre_x_minus_2 = _grown(self.centre_x_minus_2, count, 0.0, axis=1)
        self.offset = _grown(self.offset, count, np.inf)
        self._spare = np.concatenate((self._spare, np.arange(now, count)))

    def _make_room(self, keys: int) -> None:
        if keys > len(self.slot):
            count = max(keys, len(self.slot) * 5 // 4)
            self.slot = _grown(self.slot, count, -1)
            self.lat = _grown(self.lat, count, None)
            self.lon = _grown(self.lon, count, None)


def _hands(group: Ints, groups: int) -> tuple[Ints, Ints, Ints]:
    """Deal sorted groups into hands of at most SLOTS, as even as can be.

    `group` is each card's group, ascending. Returns each card's hand, numbered through all groups, its place
    in the hand, and the number of hands of each group, at least one.
    """
    cards = np.bincount(group, minlength=groups)
    hands = np.where(cards > SLOTS, -(-cards // FILL), 1)
    n, of = cards[group], hands[group]
    rank = np.arange(len(group)) - (np.cumsum(cards) - cards)[group]
    hand = rank * of // n
    return (np.cumsum(hands) - hands)[group] + hand, rank + (-hand * n // of), hands


def _grown(array: NDArray[_Item], count: int, filler: float | None, axis: int = 0) -> NDArray[_Item]:
    """A copy with one axis lengthened to `count`; with no filler the new part takes no memory until used."""
    shape = list(array.shape)
    now, shape[axis] = shape[axis], count
    longer = np.empty(shape, dtype=array.dtype)
    along = np.moveaxis(longer, axis, 0)
    along[:now] = np.moveaxis(array, axis, 0)
    if filler is not None:
        along[now:] = filler
    return longer
