"""Where calls come from, by hour of the week: cells, spots where they came from before, or anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulations.planning.cell_points import CellPoints
from simulations.planning.records import WEEK_HOURS, Floats, Longs
from simulations.planning.region import Region, Uniforms

Kinds = NDArray[np.int8]
ANY_KIND = -1
"""The kind is drawn by the scenario's shares."""


class Sites(Protocol):
    """A Poisson field of calls that changes with the hour of the week."""

    @property
    def hourly(self) -> Floats:
        """Alarms expected in one such hour, by hour of the week."""
        ...

    def places(self, hours: Longs, uniforms: Uniforms) -> tuple[Floats, Floats, Kinds]:
        """Latitude, longitude and kind of a call in each of these hours of the week."""
        ...


class Picks:
    """Rows in proportion to weights. ``layer``: which of ``layers`` (rows, weights) holds at an hour."""

    def __init__(self, layer: NDArray[np.intp], layers: Sequence[tuple[Longs, Floats]]) -> None:
        self._layer, self._layers = layer, layers
        self._rows: Longs = np.concatenate([rows for rows, _ in layers])
        self._up_to = np.cumsum(np.concatenate([weights for _, weights in layers]))
        self._ends = np.cumsum([len(rows) for rows, _ in layers])
        self._begins = self._ends - [len(rows) for rows, _ in layers]

    def weighted(self, times: Floats) -> "Picks":
        """Each row's weight so many times."""
        return Picks(self._layer, [(rows, weights * times[rows]) for rows, weights in self._layers])

    def hourly(self) -> Floats:
        """The weights' sum, by hour of the week."""
        sums = np.array([weights.sum() for _, weights in self._layers])
        return sums[self._layer]

    def pick(self, hours: Longs, uniform: Floats) -> Longs:
        """A row for each hour of the week, which must have one with a weight."""
        layer = self._layer[hours]
        begins, ends = self._begins[layer], self._ends[layer]
        below = np.where(begins > 0, self._up_to[begins - 1], 0.0)
        target = below + uniform * (self._up_to[ends - 1] - below)
        found = np.searchsorted(self._up_to, target, side="right")
        rows: Longs = self._rows[np.clip(found, begins, ends - 1)]
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class Anywhere:
    """Evenly over the region."""

    hourly: Floats
    region: Region

    def places(self, hours: Longs, uniforms: Uniforms) -> tuple[Floats, Floats, Kinds]:
        return *self.region.points(len(hours), uniforms), _any_kind(hours)


@dataclass(frozen=True, slots=True, eq=False)
class InCells:
    """By cell, evenly within it."""

    hourly: Floats
    shapes: CellPoints
    picks: Picks

    def places(self, hours: Longs, uniforms: Uniforms) -> tuple[Floats, Floats, Kinds]:
        numbers = np.arange(len(hours))
        rows = self.picks.pick(hours, uniforms(numbers, 0))
        return *self.shapes.draw(rows, *(uniforms(numbers, nth) for nth in (1, 2, 3))), _any_kind(hours)


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Where and when calls came before, each as likely as the other to come again."""

    hourly: Floats
    lat: Floats
    lon: Floats
    kind: Kinds
    picks: Picks

    def places(self, hours: Longs, uniforms: Uniforms) -> tuple[Floats, Floats, Kinds]:
        rows = self.picks.pick(hours, uniforms(np.arange(len(hours)), 0))
        return self.lat[rows], self.lon[rows], self.kind[rows]

    def weighted(self, times: Floats) -> "Spots":
        """As if each had been there so many times."""
        picks = self.picks.weighted(times)
        return Spots(picks.hourly(), self.lat, self.lon, self.kind, picks)


def _any_kind(hours: Longs) -> Kinds:
    return np.full(len(hours), ANY_KIND, dtype=np.int8)


def spots(lat: Floats, lon: Floats, kind: Kinds, bands: Sequence[range], weight: float) -> Spots:
    """``bands``: the hours of the week in one of which each came; ``weight``: how often one comes a week."""
    lengths = np.array([len(band) for band in bands])
    rows = np.repeat(np.arange(len(bands)), lengths)
    hours = np.fromiter(
        (hour % WEEK_HOURS for band in bands for hour in band), dtype=np.int64, count=len(rows)
    )
    weights = weight / lengths[rows]
    by_hour = np.argsort(hours, kind="stable")
    cuts = np.searchsorted(hours[by_hour], np.arange(1, WEEK_HOURS))
    parts = np.split(by_hour, cuts)
    picks = Picks(np.arange(WEEK_HOURS), [(rows[part], weights[part]) for part in parts])
    hourly = np.bincount(hours, weights, WEEK_HOURS).astype(np.float64)
    return Spots(hourly, lat, lon, kind, picks)
