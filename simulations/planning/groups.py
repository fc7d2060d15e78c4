"""Counts by hour of the day, by kind and by H3 cell: integers, so that no order of summing changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.planning.measures import WITHIN_MIN, times_of
from simulations.planning.records import Calls, Longs, Outcomes

COLUMNS = (
    "alarms",
    "alerts",
    "accepts",
    "arrivals",
    "redundant",
    "wasted",
    "nobody_found",
    "nobody_came",
    "medic_first",
    *(f"medic_{minutes}_min" for minutes in WITHIN_MIN),
    *(f"reached_{minutes}_min" for minutes in WITHIN_MIN),
    "gained_ms",
)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Sums over the alarms of each group."""

    keys: NDArray[Any]
    """Ascending: hours 0 to 23, names of kinds, or H3 cells. A group without alarms is absent."""
    counts: Longs
    """A row a group, a column each of `COLUMNS`."""

    def column(self, name: str) -> Longs:
        return self.counts[:, COLUMNS.index(name)]


def by_each(calls: Calls, outcomes: Outcomes) -> tuple[Groups, Groups, Groups]:
    """By hour, by kind, by cell."""
    alarms, columns = calls.recognised, columns_of(calls, outcomes)
    kinds = np.array(calls.kinds, dtype=np.str_)
    return (
        grouped(calls.hour[alarms].astype(np.int64) % 24, columns),
        grouped(kinds[calls.kind[alarms]], columns),
        grouped(calls.cell[alarms], columns),
    )


def total(parts: Sequence[Groups]) -> Groups:
    """Of several replications; at least one."""
    keys = np.concatenate([part.keys for part in parts])
    return grouped(keys, np.concatenate([part.counts for part in parts]))


def grouped(keys: NDArray[Any], columns: Longs) -> Groups:
    distinct, row = np.unique(keys, return_inverse=True)
    counts = np.zeros((len(distinct), len(COLUMNS)), dtype=np.int64)
    np.add.at(counts, row, columns)
    return Groups(distinct, counts)


def columns_of(calls: Calls, outcomes: Outcomes) -> Longs:
    """A row an alarm, what it adds to each of `COLUMNS`."""
    alarms, times = calls.recognised, times_of(calls, outcomes)
    columns = {
        "alarms": np.ones(int(alarms.sum()), dtype=np.int64),
        "alerts": outcomes.alerts[alarms],
        "accepts": outcomes.accepts[alarms],
        "arrivals": outcomes.arrivals[alarms],
        "redundant": outcomes.redundant[alarms],
        "wasted": outcomes.wasted[alarms],
        "nobody_found": outcomes.nobody[alarms],
        "nobody_came": np.isinf(times.medic_s),
        "medic_first": times.medic_s < times.ambulance_s,
        **{f"medic_{minutes}_min": times.medic_s <= 60 * minutes for minutes in WITHIN_MIN},
        **{f"reached_{minutes}_min": times.first_s <= 60 * minutes for minutes in WITHIN_MIN},
        "gained_ms": np.rint(times.gained_s * 1000),
    }
    return np.stack([np.asarray(columns[name], dtype=np.int64) for name in COLUMNS], axis=1)
