"""Where a scenario plays: a bounding box, the polygons of a GeoJSON file, or H3 cells."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.distance import EARTH_RADIUS_M, is_position
from simulations.planning.cell_points import CellPoints, cell_of, cells_at, resolution_of
from simulations.planning.errors import ScenarioError
from simulations.planning.records import Cells, Flags, Floats, Longs
from simulations.planning.sections import RegionKeys

Uniforms = Callable[[NDArray[np.int64], int], Floats]
"""Uniform numbers for some rows, the ``nth`` of each."""

Ring = Floats
"""Corners of a polygon's border or hole, (n, 2): longitude and latitude, the first again at the end."""

Polygon = tuple[Ring, ...]
"""A position lies in it that is inside an odd number of its rings."""

ATTEMPTS_MAX = 2_000
BEYOND_180 = "; across the 180th meridian give the region's cells (region.h3)"
LINES = 4_096
"""Lines of latitude on which polygons are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """An area. ``polygons`` cut the box (inside one of them at least), or ``cells`` do, or nothing."""

    south: float
    west: float
    north: float
    east: float
    area_km2: float
    polygons: tuple[Polygon, ...] = ()
    cells: Cells | None = None

    def holds(self, lat: Floats, lon: Floats) -> Flags:
        """Whether each position lies in it."""
        inside: Flags = (lat >= self.south) & (lat <= self.north) & (lon >= self.west) & (lon <= self.east)
        if self.cells is not None:
            found = cells_at(lat[inside], lon[inside], resolution_of(self.cells))
            inside[inside] = np.isin(found, self.cells)
        elif self.polygons:
            inside[inside] = _in_any(self.polygons, lat[inside], lon[inside])
        return inside

    def points(self, count: int, uniforms: Uniforms) -> tuple[Floats, Floats]:
        """So many positions spread evenly over it: its latitudes and longitudes."""
        if self.cells is not None:
            return self._points_of_cells(self.cells, count, uniforms)
        lat, lon = np.empty(count), np.empty(count)
        left = np.arange(count)
        for attempt in range(ATTEMPTS_MAX):
            lat[left], lon[left] = self._in_box(uniforms(left, 2 * attempt), uniforms(left, 2 * attempt + 1))
            left = left[~self.holds(lat[left], lon[left])]
            if not left.size:
                return lat, lon
        raise ScenarioError("region", "", "is too small a part of its own bounding box to draw places from")

    def _in_box(self, up: Floats, along: Floats) -> tuple[Floats, Floats]:
        low, high = math.sin(math.radians(self.south)), math.sin(math.radians(self.north))
        lat = np.degrees(np.arcsin(low + (high - low) * up))
        return np.clip(lat, self.south, self.north), self.west + (self.east - self.west) * along

    def _points_of_cells(self, cells: Cells, count: int, uniforms: Uniforms) -> tuple[Floats, Floats]:
        shapes, numbers = CellPoints(cells), np.arange(count)
        up_to = np.cumsum(shapes.areas_km2)
        chosen = np.searchsorted(up_to, uniforms(numbers, 0) * up_to[-1])
        return shapes.draw(chosen, *(uniforms(numbers, nth) for nth in (1, 2, 3)))


def exchanged(region: Region, lat: Floats, lon: Floats) -> str:
    """What is to be said of positions that all lie outside where each lies inside the other way round.

    Else nothing: a guess is no help. At least one position.
    """
    if not region.holds(lon, lat).all():
        return ""
    orders = "bbox is south, west, north, east, and a GeoJSON position longitude, latitude"
    return f"; with latitude and longitude exchanged it would be inside: {orders}"


def region_of(keys: RegionKeys, file: str, folder: Path) -> Region:
    """Raises `ScenarioError`."""
    if keys.bbox is not None:
        return _box(keys.bbox, file)
    if keys.geojson is not None:
        return _polygons(folder / keys.geojson)
    return _cells(folder / str(keys.h3))


def _box(bbox: tuple[float, float, float, float], file: str) -> Region:
    south, west, north, east = bbox
    if not (is_position(south, west) and is_position(north, east)):
        raise ScenarioError(file, "region.bbox", "is in degrees: south, west, north, east")
    if not (south < north and west < east):
        reason = "is empty: south, west, north, east, each pair in this order"
        raise ScenarioError(file, "region.bbox", f"{reason}{BEYOND_180 if south < north else ''}")
    return Region(south, west, north, east, _box_km2(south, west, north, east))


def _box_km2(south: float, west: float, north: float, east: float) -> float:
    tall = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return tall * math.radians(east - west) * (EARTH_RADIUS_M / 1000.0) ** 2


def read_text(path: Path) -> str:
    """Raises `ScenarioError` where it can not be read."""
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise ScenarioError(str(path), "", f"can not be read ({error.strerror})") from None
    except UnicodeError:
        raise ScenarioError(str(path), "", "is not UTF-8") from None


def _polygons(path: Path) -> Region:
    try:
        parsed = json.loads(read_text(path))
        polygons = tuple(tuple(map(_ring, rings)) for rings in _polygons_of(parsed))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(str(path), "", f"is no GeoJSON that can be used ({error})") from None
    corners = np.concatenate([np.empty((0, 2)), *(ring for polygon in polygons for ring in polygon)])
    area_km2 = _area_km2(polygons, corners[:, 1]) if len(corners) else 0.0
    if area_km2 <= 0:
        raise ScenarioError(str(path), "", "holds no Polygon or MultiPolygon with an area")
    (west, south), (east, north) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Region(south, west, north, east, area_km2, polygons)


def _polygons_of(value: Any) -> Iterator[list[Any]]:
    kind = value["type"]
    if kind == "FeatureCollection":
        for feature in value["features"]:
            yield from _polygons_of(feature)
    elif kind == "Feature":
        if value["geometry"] is not None:  # it has no place (RFC 7946, section 3.2)
            yield from _polygons_of(value["geometry"])
    elif kind == "GeometryCollection":
        for geometry in value["geometries"]:
            yield from _polygons_of(geometry)
    elif kind == "Polygon":
        yield value["coordinates"]
    elif kind == "MultiPolygon":
        yield from value["coordinates"]


def _ring(positions: Any) -> Ring:
    ring = np.array([position[:2] for position in positions], dtype=np.float64)
    if ring.ndim != 2 or len(ring) < 4:
        raise ValueError("a ring has at least four positions")
    if not all(is_position(lat, lon) for lon, lat in ring.tolist()):
        raise ValueError("a position is longitude, latitude in degrees")
    if (np.abs(np.diff(ring[:, 0])) > 180.0).any():  # RFC 7946, section 3.1.9, has it cut in two
        raise ValueError(f"a side goes more than half around the earth{BEYOND_180}")
    return ring if (ring[0] == ring[-1]).all() else np.vstack((ring, ring[:1]))


def _area_km2(polygons: tuple[Polygon, ...], lat: Floats) -> float:
    """Of all that they hold, what several hold once; ``lat``: of all corners.

    Measured along lines of latitude, whose ends `_crossings` gives: how many polygons hold a line's next
    stretch goes up by one at every first, and down at every second crossing of one polygon's.
    """
    south, north = float(lat.min()), float(lat.max())
    lats = south + (north - south) * (np.arange(LINES) + 0.5) / LINES
    crossed = [_crossings(one, lats) for one in polygons]
    lines, lon = (np.concatenate([one[n] for one in crossed]) for n in (0, 1))
    holding = np.concatenate([np.resize([1, -1], len(one[0])) for one in crossed])
    order = np.lexsort((lon, lines))
    held = np.cumsum(holding[order])[:-1] > 0
    stretches = np.radians(np.diff(lon[order])[held]) * np.cos(np.radians(lats[lines[order][:-1][held]]))
    apart = math.radians(north - south) / LINES
    return float(stretches.sum()) * apart * (EARTH_RADIUS_M / 1000.0) ** 2


def _crossings(polygon: Polygon, lats: Floats) -> tuple[Longs, Floats]:
    """Which lines of latitude its sides cross and where, from west to east, line by line: an even number."""
    lines, lons = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for (x1, y1), (x2, y2) in _sides(polygon):
        line = np.arange(*np.searchsorted(lats, sorted((y1, y2))))
        lines.append(line)
        lons.append(x1 + (lats[line] - y1) * ((x2 - x1) / (y2 - y1)))
    line, lon = np.concatenate(lines), np.concatenate(lons)
    order = np.lexsort((lon, line))
    return line[order], lon[order]


def _in_any(polygons: Sequence[Polygon], lat: Floats, lon: Floats) -> Flags:
    found = np.zeros(len(lat), dtype=np.bool_)
    for polygon in polygons:
        found |= _odd_rings(polygon, lat, lon)
    return found


def _odd_rings(polygon: Polygon, lat: Floats, lon: Floats) -> Flags:
    """Whether a line from each position to the east crosses its sides an odd number of times."""
    order = np.argsort(lat)
    lats, lons = lat[order], lon[order]
    odd = np.zeros(len(lat), dtype=np.bool_)
    for (x1, y1), (x2, y2) in _sides(polygon):
        beside = slice(*np.searchsorted(lats, sorted((y1, y2))))  # a border has many short sides
        odd[beside] ^= lons[beside] < x1 + (lats[beside] - y1) * ((x2 - x1) / (y2 - y1))
    found = np.empty_like(odd)
    found[order] = odd
    return found


def _sides(polygon: Polygon) -> Iterator[tuple[list[float], list[float]]]:
    """From corner to corner; without those along a line of latitude, which no such line crosses."""
    for ring in polygon:
        for first, second in pairwise(ring.tolist()):
            if first[1] != second[1]:
                yield first, second


def _cells(path: Path) -> Region:
    lines = [line.split(",")[0].strip() for line in read_text(path).splitlines() if line.strip()]
    if lines and lines[0].lower() in ("h3", "cell", "h3_index"):
        del lines[0]
    if not lines:
        raise ScenarioError(str(path), "", "holds no cell")
    try:
        cells = np.unique(np.array([cell_of(line) for line in lines], dtype=np.uint64))
    except ValueError as error:
        raise ScenarioError(str(path), "", str(error)) from None
    if len({resolution_of([cell]) for cell in cells.tolist()}) > 1:
        raise ScenarioError(str(path), "", "its cells are of several resolutions")
    return _of_cells(cells)


def _of_cells(cells: Cells) -> Region:
    shapes = CellPoints(cells)
    (south, west), (north, east) = shapes.lowest, shapes.highest
    return Region(south, west, north, east, float(shapes.areas_km2.sum()), cells=cells)
