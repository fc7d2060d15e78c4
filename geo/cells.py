"""H3 cells: the fixed hexagons by which positions are counted, published and compared.

A cell is a 64-bit integer (`h3.int_to_str` gives the usual text). Resolution 0 has 122 cells of some 4.2
million km2; the cells of each next one are a seventh as large: 9 is a few street blocks, 15 a square metre.
`NearestIndex` does not stand on these cells but on its own buckets; docs/geo.md says why, with figures.
"""

import h3.api.basic_int as h3

from geo.distance import great_circle_m, is_position

RESOLUTION_MAX = 15

_ROUNDING = 1.0 + 1e-6
"""H3 rounds when a point lies on an edge, by far less than a millionth of the cell."""


def cell_at(lat: float, lon: float, resolution: int) -> int:
    """The cell that holds a position in degrees. ValueError out of range, for NaN, for no such resolution."""
    if not is_position(lat, lon) or not 0 <= resolution <= RESOLUTION_MAX:
        raise ValueError(f"latitude {lat!r}, longitude {lon!r}, resolution {resolution!r}")
    return int(h3.latlng_to_cell(lat, lon, resolution))


def parent(cell: int, resolution: int) -> int:
    """The ancestor at a coarser (or its own) resolution. ValueError for no cell or a finer resolution.

    An ancestor holds a cell by number, not by area: children stick out of their parent, so near an edge
    `parent(cell_at(p, 9), 7)` can differ from `cell_at(p, 7)`.
    """
    return int(h3.cell_to_parent(cell, resolution))


def parents(cell: int) -> list[int]:
    """All ancestors, from the next coarser to resolution 0."""
    return [h3.cell_to_parent(cell, resolution) for resolution in reversed(range(h3.get_resolution(cell)))]


def centre(cell: int) -> tuple[float, float]:
    """Latitude and longitude in degrees."""
    lat, lon = h3.cell_to_latlng(cell)
    return float(lat), float(lon)


def boundary(cell: int) -> list[tuple[float, float]]:
    """Corners in degrees, counter-clockwise: six, a pentagon five, more where an icosahedron edge crosses."""
    return list(h3.cell_to_boundary(cell))


def covering_radius_m(cell: int) -> float:
    """Every position of the cell lies within this many metres of its centre.

    A cell is a polygon of great-circle arcs between its corners: H3 draws straight lines in a gnomonic plane.
    A cap within a hemisphere is convex, so one that holds the corners holds the arcs between them and what
    they enclose. The farthest corner counts, never a multiple of the average edge.
    """
    lat, lon = centre(cell)
    lats, lons = zip(*boundary(cell), strict=True)
    return float(great_circle_m(lat, lon, lats, lons).max()) * _ROUNDING
