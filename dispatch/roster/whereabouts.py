"""Where medics are: their fixes and their places, each an entry of its own in the index of her travel mode.

Which of them counts is judged when it is asked: a fix while it is fresh, and only where none is, a place
whose hours hold (RULES "Available", DESIGN "place").
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dispatch.records import Fix, Medic, Place
from dispatch.roster.hours import Schedules
from dispatch.roster.slots import Slots, room_for
from dispatch.roster.whom_to_ask import Sought
from geo.distance import Mode
from geo.nearest import NearestIndex

NONE = -1
_SETTLED_AT_ONCE = 65_536
"""Enough for the index to be fast, few enough to take little memory."""
LONG_AGO = -(2**62)

Change = tuple[int, Medic | None, Medic]
"""A medic's slot, her row until now, if she had one, and her row from now on."""


def check_position(lat: float, lon: float) -> None:
    """ValueError for what is no position in degrees."""
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise ValueError(f"{lat}, {lon} is no position: latitude -90 to 90, longitude -180 to 180")


class Entries:
    """The entries of one travel mode, by the key they have in its index."""

    def __init__(self) -> None:
        self.index = NearestIndex()
        self.owner = np.empty(0, dtype=np.int32)
        self.is_fix = np.empty(0, dtype=np.bool_)
        self.schedule = np.empty(0, dtype=np.int32)
        self.next = np.empty(0, dtype=np.int32)
        self.columns = (0, 0, 0)
        """Where owners, kinds and schedules lie in memory."""
        self._keys = Slots()
        self._new: list[tuple[int, int, int, bool, int]] = []
        self._moved: tuple[list[int], list[float], list[float]] = ([], [], [])

    def add(self, owner: int, schedule: int, *, is_fix: bool, following: int = NONE) -> int:
        """A key for a new entry, without a position yet. ``following``: the key of its owner's next place.

        It is there at the next `settle`, as what was moved.
        """
        key = self._keys.take()
        self._new.append((key, owner, schedule, is_fix, following))
        return key

    def _make_room(self, key: int) -> None:
        self.owner = room_for(key, self.owner, NONE)
        self.is_fix = room_for(key, self.is_fix, False)
        self.schedule = room_for(key, self.schedule, Schedules.NEVER)
        self.next = room_for(key, self.next, NONE)
        self.columns = (self.owner.ctypes.data, self.is_fix.ctypes.data, self.schedule.ctypes.data)

    def move(self, key: int, lat: float, lon: float) -> None:
        """Moves the entry, at the latest at the next `settle`, which must come before the index is asked."""
        keys, lats, lons = self._moved
        keys.append(key)
        lats.append(lat)
        lons.append(lon)
        if len(keys) >= _SETTLED_AT_ONCE:
            self.settle()

    def settle(self) -> None:
        if self._new:
            self._settle_new()
        (keys, lats, lons), self._moved = self._moved, ([], [], [])
        if len(keys) == 1:  # a tenth of the time of an array of one
            self.index.put(keys[0], lats[0], lons[0])
        elif keys:
            self.index.put_many(keys, lats, lons)

    def _settle_new(self) -> None:
        keys, owners, schedules, are_fixes, following = zip(*self._new, strict=True)
        self._new = []
        self._make_room(max(keys))
        at = np.array(keys)
        self.owner[at], self.schedule[at] = owners, schedules
        self.is_fix[at], self.next[at] = are_fixes, following

    def drop(self, keys: Sequence[int]) -> None:
        if keys:
            self.index.remove_many(keys)
            for key in keys:
                self._keys.give_back(key)

    def chain(self, key: int) -> Iterator[int]:
        """``key`` and those that follow it."""
        while key != NONE:
            yield key
            key = int(self.next[key])


class Whereabouts:
    """Fixes and places by the medic's slot."""

    def __init__(self, schedules: Schedules) -> None:
        self.by_mode: dict[str, Entries] = {mode.value: Entries() for mode in Mode}
        self._schedules = schedules
        self._fix_at = np.empty(0, dtype=np.int64)
        self._fix_at_lies = 0
        self._fix_key = np.empty(0, dtype=np.int32)
        self._fix_accuracy_m = np.empty(0, dtype=np.float64)
        self._first_place = np.empty(0, dtype=np.int32)

    def check(self, medic: Medic) -> None:
        """ValueError for a place that is nowhere, hours that are none or a mode that is unknown."""
        if medic.mode not in self.by_mode:
            raise ValueError(f"{medic.mode!r} is no way to travel")
        for place in medic.places:
            check_position(place.lat, place.lon)
            self._hours(place, medic)

    def hours_numbers(self) -> list[NDArray[np.int32]]:
        """The schedules of all entries as they are kept; of those that were dropped, any."""
        return [entries.schedule for entries in self.by_mode.values()]

    def put_many(self, changes: Iterable[Change]) -> None:
        """Takes over the places and modes of checked rows; fixes stay. A slot comes once at most."""
        for slot, old, medic in changes:
            if slot >= len(self._fix_at):
                self._make_room(slot)
            if old is None or _whereabouts_of(old) != _whereabouts_of(medic):
                self._change(slot, old, medic)
        self._settle()

    def remove(self, slot: int, mode: Mode) -> None:
        entries = self.by_mode[mode]
        entries.drop([*entries.chain(int(self._fix_key[slot])), *entries.chain(int(self._first_place[slot]))])
        self._fix_key[slot] = self._first_place[slot] = NONE
        self._fix_at[slot] = LONG_AGO

    def move_many(self, fixes: Iterable[tuple[int, Mode, Fix]]) -> int:
        """Takes fixes newer than the known ones; returns how many. ValueError, none taken, if one is bad."""
        newest: dict[int, tuple[Mode, Fix]] = {}
        for slot, mode, fix in fixes:
            check_position(fix.lat, fix.lon)
            known = newest[slot][1].at if slot in newest else self._fix_at[slot]
            if fix.at > known:
                newest[slot] = (mode, fix)
        for slot, (mode, fix) in newest.items():
            self._move(slot, self.by_mode[mode], fix)
        self._settle()
        return len(newest)

    def fix_at(self, slot: int) -> int:
        """Of when her newest fix is."""
        return int(self._fix_at[slot])

    def fix(self, slot: int, medic: Medic) -> Fix | None:
        key = int(self._fix_key[slot])
        if key == NONE:
            return None
        lat, lon = self.by_mode[Mode(medic.mode)].index.position(key)
        accuracy_m = float(self._fix_accuracy_m[slot])
        return Fix(medic.id, lat, lon, None if np.isnan(accuracy_m) else accuracy_m, int(self._fix_at[slot]))

    def judge(self, sought: Sought, entries: Entries, at: int, fix_stale_s: int) -> None:
        """Has ``sought`` judge these entries: a fix counts that is younger than ``fix_stale_s``."""
        sought.owner, sought.is_fix, sought.schedule = entries.columns
        sought.fix_at, sought.fresh_after = self._fix_at_lies, at - fix_stale_s * 1000

    def distance_m(
        self, slot: int, mode: Mode, *, lat: float, lon: float, at: int, fix_stale_s: int
    ) -> float | None:
        """From the nearest of her entries that count; None where none does."""
        return self.distances_m((slot,), mode, lat=lat, lon=lon, at=at, fix_stale_s=fix_stale_s).get(slot)

    def distances_m(
        self, slots: Iterable[int], mode: Mode, *, lat: float, lon: float, at: int, fix_stale_s: int
    ) -> dict[int, float]:
        """`distance_m` of several who travel by ``mode``; of whom no entry counts is not in it."""
        entries = self.by_mode[mode]
        places = [int(first[slot]) for slot in slots for first in (self._fix_key, self._first_place)]
        keys = np.array([key for first in places for key in entries.chain(first)], dtype=np.int64)
        if not keys.size:
            return {}
        sought = Sought()
        self._schedules.at(sought, at)
        self.judge(sought, entries, at, fix_stale_s)
        keys = keys[sought.which_count(keys)]
        metres = entries.index.distances_m(lat, lon, keys).tolist()
        nearest: dict[int, float] = {}
        for owner, one_m in zip(entries.owner.take(keys).tolist(), metres, strict=True):
            nearest[owner] = min(one_m, nearest.get(owner, one_m))
        return nearest

    def _change(self, slot: int, old: Medic | None, medic: Medic) -> None:
        entries = self.by_mode[medic.mode]
        if old is not None:
            before = self.by_mode[old.mode]
            before.drop(list(before.chain(int(self._first_place[slot]))))
            if before is not entries:
                self._carry_fix(slot, before, entries)
        first = NONE
        for place in medic.places:
            first = entries.add(slot, self._hours(place, medic), is_fix=False, following=first)
            entries.move(first, place.lat, place.lon)
        self._first_place[slot] = first

    def _carry_fix(self, slot: int, before: Entries, entries: Entries) -> None:
        """She travels by another mode from now on."""
        key = int(self._fix_key[slot])
        if key != NONE:
            position = before.index.position(key)
            before.drop([key])
            self._fix_key[slot] = entries.add(slot, Schedules.ALWAYS, is_fix=True)
            entries.move(int(self._fix_key[slot]), *position)

    def _move(self, slot: int, entries: Entries, fix: Fix) -> None:
        if self._fix_key[slot] == NONE:
            self._fix_key[slot] = entries.add(slot, Schedules.ALWAYS, is_fix=True)
        entries.move(int(self._fix_key[slot]), fix.lat, fix.lon)
        self._fix_at[slot] = fix.at
        self._fix_accuracy_m[slot] = np.nan if fix.accuracy_m is None else fix.accuracy_m

    def _settle(self) -> None:
        for entries in self.by_mode.values():
            entries.settle()

    def _hours(self, place: Place, medic: Medic) -> int:
        return self._schedules.number(place.hours, medic.time_zone) if place.hours else Schedules.ALWAYS

    def _make_room(self, slot: int) -> None:
        if slot < len(self._fix_at):
            return
        self._fix_at = room_for(slot, self._fix_at, LONG_AGO)
        self._fix_at_lies = self._fix_at.ctypes.data
        self._fix_key = room_for(slot, self._fix_key, NONE)
        self._fix_accuracy_m = room_for(slot, self._fix_accuracy_m, np.nan)
        self._first_place = room_for(slot, self._first_place, NONE)


def _whereabouts_of(medic: Medic) -> tuple[object, ...]:
    return medic.mode, medic.time_zone, medic.places
