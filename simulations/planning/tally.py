"""All that is kept of one replication under one policy: small, whatever the number of its calls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulations.planning import groups, measures
from simulations.planning.groups import Groups
from simulations.planning.records import Calls, Floats, Longs, Outcomes

COUNTED_S = 3600
"""Seconds are counted up to here, then come one place for later and one for never."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One replication's, or the sum of several (then without ``values``)."""

    values: dict[str, float]
    """By the name of a measure; one that has nothing to be over is absent."""
    by_hour: Groups
    by_kind: Groups
    by_cell: Groups
    first_medic: Longs
    """How many alarms had their first medic in each second; `COUNTED_S` + 2 places."""
    ambulance: Longs
    gained: Longs

    @property
    def alarms(self) -> int:
        return int(self.by_kind.column("alarms").sum())


def of(calls: Calls, outcomes: Outcomes, years: float) -> Tally:
    times = measures.times_of(calls, outcomes)
    by_hour, by_kind, by_cell = groups.by_each(calls, outcomes)
    return Tally(
        values=measures.of(calls, outcomes, years),
        by_hour=by_hour,
        by_kind=by_kind,
        by_cell=by_cell,
        first_medic=seconds(times.medic_s),
        ambulance=seconds(times.ambulance_s),
        gained=seconds(times.gained_s),
    )


def total(tallies: Sequence[Tally]) -> Tally:
    """At least one."""
    return Tally(
        values={},
        by_hour=groups.total([tally.by_hour for tally in tallies]),
        by_kind=groups.total([tally.by_kind for tally in tallies]),
        by_cell=groups.total([tally.by_cell for tally in tallies]),
        first_medic=np.sum([tally.first_medic for tally in tallies], axis=0),
        ambulance=np.sum([tally.ambulance for tally in tallies], axis=0),
        gained=np.sum([tally.gained for tally in tallies], axis=0),
    )


def seconds(times_s: Floats) -> Longs:
    """How many lie in each second from 0, then how many are later, then how many never were."""
    never = np.isinf(times_s)
    places = np.minimum(np.where(never, 0.0, times_s), COUNTED_S).astype(np.int64)
    places[never] = COUNTED_S + 1
    return np.bincount(places, minlength=COUNTED_S + 2).astype(np.int64)


def quantile_s(counts: Longs, percent: float) -> float:
    """The second in which so many per cent are reached; `COUNTED_S`: then or later; inf: never."""
    reached = np.cumsum(counts)
    if not reached[-1]:
        return math.inf
    place = int(np.searchsorted(reached, reached[-1] * percent / 100))
    return float(place) if place <= COUNTED_S else math.inf
