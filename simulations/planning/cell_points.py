"""Points drawn evenly from H3 cells: each cell is cut into the triangles between its centre and its sides."""

from collections.abc import Sequence

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from geo.cells import boundary, centre
from geo.distance import EARTH_RADIUS_M
from simulations.planning.records import Cells, Floats, Longs


class CellPoints:
    """Cells by row. One around a pole is drawn wrongly: nobody calls there."""

    def __init__(self, cells: Cells) -> None:
        corners = [boundary(cell) for cell in cells.tolist()]
        most = max(len(one) for one in corners)
        # The last corner again and again: the triangles that this adds are empty.
        self._corners = np.array([[*one, *[one[0]] * (most + 1 - len(one))] for one in corners])
        self._centres = np.array([centre(cell) for cell in cells.tolist()])
        # Of a cell across the 180th meridian some corners go on beyond it.
        self._corners[:, :, 1] = _lon_beside(self._corners[:, :, 1], self._centres[:, 1:])
        self.centres: tuple[Floats, Floats] = self._centres[:, 0], self._centres[:, 1]
        areas = _triangle_areas_km2(self._centres, self._corners)
        self.areas_km2: Floats = areas.sum(axis=1)
        self._up_to = np.cumsum(areas, axis=1) / self.areas_km2[:, None]
        flat = self._corners.reshape(-1, 2)
        if (np.abs(flat[:, 1]) > 180.0).any():
            flat = np.vstack((flat, [[flat[0, 0], -180.0], [flat[0, 0], 180.0]]))
        self.lowest: tuple[float, float] = tuple(flat.min(axis=0).tolist())
        self.highest: tuple[float, float] = tuple(flat.max(axis=0).tolist())

    def draw(self, rows: Longs, which: Floats, along: Floats, across: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude of a point in the cell of each row, from three uniform numbers each."""
        # The last sum may fall short of 1 by rounding.
        side = (which[:, None] > self._up_to[rows, :-1]).sum(axis=1)
        middle, first, second = self._centres[rows], self._corners[rows, side], self._corners[rows, side + 1]
        far = np.sqrt(along)[:, None]
        points = (1 - far) * middle + far * ((1 - across)[:, None] * first + across[:, None] * second)
        return points[:, 0], _lon_beside(points[:, 1], np.zeros(1))


def _lon_beside(lon: Floats, other: Floats) -> Floats:
    """The same longitudes, within 180 degrees of the ``other`` ones."""
    beside: Floats = lon - 360.0 * np.round((lon - other) / 360.0)
    return beside


def _triangle_areas_km2(centres: Floats, corners: Floats) -> Floats:
    """Of a row of corners a row of triangles; flat, which a cell's size allows."""
    shrink = np.cos(np.radians(centres[:, 0]))[:, None]
    lats = corners[:, :, 0] - centres[:, None, 0]
    lons = (corners[:, :, 1] - centres[:, None, 1]) * shrink
    twice = np.abs(lats[:, :-1] * lons[:, 1:] - lats[:, 1:] * lons[:, :-1])
    areas: Floats = 0.5 * twice * (np.radians(1.0) * EARTH_RADIUS_M / 1000.0) ** 2
    return areas


def cells_at(lat: Floats, lon: Floats, resolution: int) -> Cells:
    """The H3 cell of each position."""
    to_cell = h3.latlng_to_cell
    found = (to_cell(*at, resolution) for at in zip(lat.tolist(), lon.tolist(), strict=True))
    return np.fromiter(found, dtype=np.uint64, count=len(lat))


def cell_of(text: str) -> int:
    """A cell as files write it, in hexadecimal. ValueError for what is none."""
    try:
        cell = int(h3.str_to_int(text.strip()))
    except (ValueError, OverflowError):
        raise ValueError(f"no H3 cell: {text[:40]!r}") from None
    if not h3.is_valid_cell(cell):
        raise ValueError(f"no H3 cell: {text[:40]!r}")
    return cell


def resolution_of(cells: Sequence[int] | NDArray[np.uint64]) -> int:
    """That of the first."""
    return int(h3.get_resolution(int(cells[0])))
