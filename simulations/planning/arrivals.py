"""When and where calls come: a Poisson field drawn by key, or calls of the past as they were."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulations.planning.draws import Draws, Purpose
from simulations.planning.hours import HOUR_MS, YEAR_HOURS
from simulations.planning.records import Floats, Longs
from simulations.planning.sites import ANY_KIND, Kinds, Sites

DAY_MS = 24 * HOUR_MS

UNREPORTED = 1 << 40
"""Arrests that nobody recognised are numbered from here, apart from the alarms."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """One row a call, in any order. ``kind``: an index, or `ANY_KIND` where it is still to be drawn."""

    number: Longs
    answered_at: Longs
    lat: Floats
    lon: Floats
    kind: Kinds


class Source(Protocol):
    """Where a scenario's alarms come from."""

    @property
    def years(self) -> float:
        """How long a replication lasts."""
        ...

    @property
    def expected(self) -> float:
        """Alarms in a replication."""
        ...

    def alarms(self, draws: Draws) -> Arrivals: ...

    def besides(self, draws: Draws, share: float) -> Arrivals:
        """Calls for so large a share of the alarms, as they come but independent of them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A Poisson field. ``hours``: the hour of the week of each hour from ``starts_at`` (ms) on."""

    sites: Sites
    starts_at: int
    hours: Longs

    @property
    def years(self) -> float:
        return len(self.hours) / YEAR_HOURS

    @property
    def expected(self) -> float:
        """Alarms in a replication."""
        return float(self.sites.hourly[self.hours].sum())

    def alarms(self, draws: Draws) -> Arrivals:
        return self._arrivals(draws, 0, 1.0)

    def besides(self, draws: Draws, share: float) -> Arrivals:
        return self._arrivals(draws, UNREPORTED, share)

    def _arrivals(self, draws: Draws, first: int, share: float) -> Arrivals:
        """A process of rate one, laid on a clock that runs as fast as calls come."""
        up_to = np.concatenate(([0.0], np.cumsum(self.sites.hourly[self.hours] * share)))
        at = _unit_process(draws, first, float(up_to[-1]))
        numbers = first + np.arange(len(at))
        slots = np.minimum(np.searchsorted(up_to, at, side="right") - 1, len(self.hours) - 1)
        edges = self.starts_at + HOUR_MS * np.arange(len(up_to))
        lat, lon, kind = self.sites.places(
            self.hours[slots], lambda rows, nth: draws.many(Purpose.PLACE, numbers[rows], nth=nth)
        )
        return Arrivals(numbers, np.interp(at, up_to, edges).astype(np.int64), lat, lon, kind)


def _unit_process(draws: Draws, first: int, until: float) -> Floats:
    """The moments of a Poisson process of rate one; the gap before each is drawn by its number."""
    if until <= 0.0:
        return np.empty(0)
    count = int(until + 8.0 * until**0.5 + 20.0)
    while True:
        moments = np.cumsum(-np.log(draws.many(Purpose.TIME, first + np.arange(count))))
        if moments[-1] >= until:
            return moments[moments < until]
        count *= 2


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Calls of the past, in order of time, each replication the same."""

    answered_at: Longs
    lat: Floats
    lon: Floats
    kind: Kinds
    lasts_ms: int
    """From the file's first call to its last, whichever of them are here."""

    @property
    def years(self) -> float:
        """At least a day."""
        return max(self.lasts_ms, DAY_MS) / (YEAR_HOURS * HOUR_MS)

    @property
    def expected(self) -> float:
        return float(len(self.lat))

    def alarms(self, draws: Draws) -> Arrivals:
        return Arrivals(np.arange(len(self.lat)), self.answered_at, self.lat, self.lon, self.kind)

    def besides(self, draws: Draws, share: float) -> Arrivals:
        """Each call's time and place once more, for so large a share of them."""
        numbers = UNREPORTED + np.arange(len(self.lat))
        whole, part = divmod(share, 1.0)
        times = int(whole) + (draws.many(Purpose.TIME, numbers) < part)
        rows = np.repeat(np.arange(len(self.lat)), times)
        nth = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
        numbers = UNREPORTED + rows + len(self.lat) * nth
        return Arrivals(numbers, self.answered_at[rows], self.lat[rows], self.lon[rows], self.kind[rows])


__all__ = ["ANY_KIND", "UNREPORTED", "Arrivals", "Field", "Replay", "Source"]
