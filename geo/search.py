"""Asks `search.c`, which looks through the buckets, and makes distances of what it found."""

import ctypes
import math
from collections.abc import Sequence
from ctypes import c_double, c_int64, c_void_p
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy import cos, sin
from numpy.typing import NDArray

from geo import compiled
from geo.buckets import Buckets
from geo.distance import RADIANS, chord, half_arc_m

Keys = NDArray[np.int64]
Distances = NDArray[np.float64]

_GROUP = 64
_ABOVE_ROUNDING = 1.0 + 1e-12
_ANYWHERE = 4.0 * _ABOVE_ROUNDING
_ROOM_AT_FIRST = 64

_library = compiled.load(Path(__file__).with_name("search.c"))
_nearest, _arrange = _library.nearest, _library.arrange
_nearest.argtypes, _nearest.restype = [c_void_p, c_int64, c_double], c_int64
_arrange.argtypes, _arrange.restype = [c_void_p], None


class Keep(NamedTuple):
    """Who may be among the answers: a compiled function of a context and a key (`Keep` in search.c)."""

    function: int
    context: int
    lives_on: object
    """What the context points to."""


class _Mask(ctypes.Structure):
    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("through", c_void_p), ("count", c_int64)]


_IN_MASK = compiled.address(_library.in_mask)


def let_through(mask: NDArray[np.bool_]) -> Keep:
    """Lets through for whose key `mask` is true; nobody beyond its end."""
    through = np.ascontiguousarray(mask, dtype=np.bool_)
    context = _Mask(through.ctypes.data, len(through))
    return Keep(_IN_MASK, ctypes.addressof(context), (context, through))


class _Arena(ctypes.Structure):
    """`Arena` in search.c."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [
        *((name, c_void_p) for name in ("key", "x", "y", "z")),
        *(
            (name, c_void_p)
            for name in ("radius", "centre_x_minus_2", "centre_y_minus_2", "centre_z_minus_2")
        ),
        *((name, c_void_p) for name in ("members", "bucket", "ball", "group", "group_distance")),
        *((name, c_int64) for name in ("buckets", "places", "groups")),
        *((name, c_void_p) for name in ("sine", "cosine")),
        *((name, c_void_p) for name in ("keep", "context")),
        *((name, c_void_p) for name in ("half_chord", "found")),
        ("bound", c_double),
        ("close", c_int64),
        ("passed", c_double * 2),
    ]


class Search:
    """Looks through buckets, which may change between two questions. One question at a time."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._changes = -1
        self._keep: Keep | None = None
        self._arena = _Arena()
        self._at = ctypes.addressof(self._arena)
        self._angles, self._sine, self._cosine = np.empty(2), np.empty(2), np.empty(2)
        self._arena.sine, self._arena.cosine = self._sine.ctypes.data, self._cosine.ctypes.data
        self._keys, self._half_chords = np.empty(0, dtype=np.int64), np.empty(0)
        self._make_room(_ROOM_AT_FIRST)

    def nearest(
        self, lat: float, lon: float, k: int, distance_max_m: float, keep: Keep | None
    ) -> tuple[Keys, Distances]:
        """The k nearest that `keep` lets through, by (distance, key), of those within `distance_max_m`.

        Up to 1e-12 of it farther as well. k is at least 1, and no more than there are.
        """
        if self._buckets.changes != self._changes:
            self._follow()
        angles = self._angles
        angles[0] = lat * RADIANS
        angles[1] = lon * RADIANS
        sin(angles, self._sine)
        cos(angles, self._cosine)
        if keep is not self._keep:
            self._let_through(keep)
        bound = _ANYWHERE if distance_max_m == math.inf else _bound(distance_max_m)
        keys, distances_m = self._found(k, bound)
        if not self._arena.close:
            return keys, distances_m
        # Once more for all that may be as near as the k-th: what rounding alone makes equal goes by key too.
        bound, room = self._arena.bound if len(keys) == k else bound, k
        while len(keys) == room:
            room *= 2
            keys, distances_m = self._found(room, bound)
        order = np.lexsort((keys, distances_m))[:k]
        return keys[order], distances_m[order]

    def _found(self, room: int, bound: float) -> tuple[Keys, Distances]:
        """Those within a squared chord, by the chord; of more than there is room for, the nearest."""
        if room > self._room:
            self._make_room(room)
        count = _nearest(self._at, room, bound)
        if count != len(self._keys):
            self._keys, self._half_chords = self._found_keys[:count], self._found_half_chords[:count]
        return self._keys.copy(), half_arc_m(self._half_chords)

    def _let_through(self, keep: Keep | None) -> None:
        self._keep = keep
        self._arena.keep, self._arena.context = (
            (None, None) if keep is None else (keep.function, keep.context)
        )

    def _make_room(self, count: int) -> None:
        self._room = count
        self._found_keys, self._found_half_chords = np.empty(count, dtype=np.int64), np.empty(count)
        self._keys, self._half_chords = self._found_keys, self._found_half_chords
        self._arena.found, self._arena.half_chord = self._keys.ctypes.data, self._half_chords.ctypes.data

    def _follow(self) -> None:
        """Has the arena point at the buckets as they are now. Their arrays are held until the next time."""
        b, arena = self._buckets, self._arena
        groups = -(-len(b.bucket) // _GROUP)
        self._ball, self._group = np.empty((4, len(b.bucket))), np.empty((5, groups))
        self._held = b.key, b.point, b.radius, b.centre_x_minus_2, b.members, b.bucket
        assert all(array.flags.c_contiguous for array in self._held)
        arena.key, arena.radius = b.key.ctypes.data, b.radius.ctypes.data
        arena.x, arena.y, arena.z = (axis.ctypes.data for axis in b.point)
        arena.centre_x_minus_2, arena.centre_y_minus_2, arena.centre_z_minus_2 = (
            axis.ctypes.data for axis in b.centre_x_minus_2
        )
        arena.members, arena.bucket = b.members.ctypes.data, b.bucket.ctypes.data
        arena.ball, arena.group = self._ball.ctypes.data, self._group.ctypes.data
        arena.group_distance = self._group[4].ctypes.data
        arena.buckets, arena.places, arena.groups = len(b.members), len(b.bucket), groups
        _arrange(self._at)
        self._changes = b.changes


def _bound(distance_max_m: float) -> float:
    return min(chord(distance_max_m) ** 2, 4.0) * _ABOVE_ROUNDING
