"""One search of the roster: who of those who may be asked can be there first, exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.roster.whereabouts import Whereabouts
from dispatch.roster.whom_to_ask import Sought
from geo.distance import SPEED_M_S, Mode, travel_s, travel_times_s

_FASTEST_FIRST = sorted(Mode, key=lambda mode: -SPEED_M_S[mode])
"""Whoever is found bounds the time of those still to be found, and so how far the slower are looked for."""
_ABOVE_ROUNDING = 1.0 + 1e-9
"""Above the rounding of a distance made from a time; who is over the time itself is left out afterwards."""


class Found(NamedTuple):
    """Compares as searches order: by travel time, ties by medic id."""

    travel_s: float
    medic_id: str
    distance_m: float
    slot: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked at: ``medic_ids`` by slot. And for what: travel times to a position at ``at``, in ms."""

    whereabouts: Whereabouts
    medic_ids: list[str]
    sought: Sought
    lat: float
    lon: float
    at: int
    fix_stale_s: int
    reach_s: float

    def best(self, count: int) -> list[Found]:
        """The ``count`` best of all, best first."""
        if count <= 0:
            return []
        found: list[Found] = []
        reach_s = self.reach_s
        for mode in _FASTEST_FIRST:
            more = self._best_by(mode, count, reach_s)
            found = sorted(found + more)[:count] if more else found
            if len(found) == count:
                reach_s = found[-1].travel_s
        return found

    def those(self, slots: Iterable[tuple[int, Mode]]) -> list[Found]:
        """Those of a few medics who may be asked and are within reach, in any order."""
        by_mode: dict[Mode, list[int]] = {}
        for slot, mode in slots:
            by_mode.setdefault(mode, []).append(slot)
        return [found for mode, of_mode in by_mode.items() for found in self._those_by(mode, of_mode)]

    def _those_by(self, mode: Mode, slots: list[int]) -> list[Found]:
        asked = np.array(slots, dtype=np.int32)
        distances_m = self.whereabouts.distances_m(
            asked[self.sought.which_may_be_asked(asked)].tolist(),
            mode,
            lat=self.lat,
            lon=self.lon,
            at=self.at,
            fix_stale_s=self.fix_stale_s,
        )
        return self._within_reach(
            mode, list(distances_m), np.fromiter(distances_m.values(), dtype=np.float64), self.reach_s
        )

    def _best_by(self, mode: Mode, count: int, reach_s: float) -> list[Found]:
        """At least the ``count`` best of one mode within ``reach_s``, if there are so many, nearest first.

        The index is asked for more until one comes back who is later than the last one wanted: a medic may
        be there twice, with two places, and the index knows no ids to order those by who are equally late.
        """
        entries = self.whereabouts.by_mode[mode]
        if not len(entries.index):
            return []
        limit_m = reach_s * SPEED_M_S[mode] * _ABOVE_ROUNDING
        self.whereabouts.judge(self.sought, entries, self.at, self.fix_stale_s)
        k = count + 4
        while True:
            keys, distances_m = entries.index.nearest(
                self.lat, self.lon, k, distance_max_m=limit_m, keep=self.sought.keep()
            )
            found = self._owners(mode, entries.owner[keys], distances_m, reach_s)
            if len(keys) < k:
                return found
            if len(found) >= count and travel_s(float(distances_m[-1]), mode) > found[count - 1].travel_s:
                return found
            k *= 4

    def _owners(
        self, mode: Mode, owners: NDArray[np.int32], distances_m: NDArray[np.float64], reach_s: float
    ) -> list[Found]:
        """Each owner once, with the first and so the nearest of her entries."""
        slots = owners.tolist()
        if len(set(slots)) < len(slots):
            first: dict[int, int] = {}
            for nth, slot in enumerate(slots):
                first.setdefault(slot, nth)
            slots, distances_m = list(first), distances_m[list(first.values())]
        return self._within_reach(mode, slots, distances_m, reach_s)

    def _within_reach(
        self, mode: Mode, slots: list[int], distances_m: NDArray[np.float64], reach_s: float
    ) -> list[Found]:
        ids, times_s = self.medic_ids, travel_times_s(distances_m, mode).tolist()
        timed = zip(times_s, distances_m.tolist(), slots, strict=True)
        return [Found(s, ids[slot], metres, slot) for s, metres, slot in timed if s <= reach_s]
