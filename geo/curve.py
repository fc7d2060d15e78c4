"""A Hilbert curve over longitude and latitude: the integer cell by which `buckets` sorts medics.

The lattice has 2**24 columns over 360 degrees and 2**24 rows over 180 (2.4 m by 1.2 m at the equator, about
square at 60 N). Neighbours on the curve are neighbours on the map, so a run of it is a compact patch. Only
speed hangs on that: the curve is cut at the poles and at the antimeridian, and no answer depends on it,
because buckets are bounded by the points they hold. D. Hilbert, Math. Ann. 38 (1891) 459.

Four levels of the curve are taken at a time from a table of 4 orientations x 16 columns x 16 rows.
benchmarks/nearest.py prints what a code costs in bulk, beside an H3 cell from the binding's one call a point.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 24
END = 1 << 2 * LEVELS
"""One more than the last code."""
_AT_ONCE = 4


def _step(orientation: int, column: int, row: int) -> tuple[int, int]:
    """Four levels from one of the four orientations (bit 0: axes swapped, bit 1: turned about)."""
    swapped, turned = orientation & 1, orientation >> 1
    place = 0
    for level in reversed(range(_AT_ONCE)):
        x, y = (column >> level & 1) ^ turned, (row >> level & 1) ^ turned
        if swapped:
            x, y = y, x
        place = place << 2 | (3 * x) ^ y
        if y == 0:
            turned ^= x
            swapped ^= 1
    return place, turned << 1 | swapped


def _table() -> NDArray[np.int32]:
    """Entry [orientation, column, row] = next orientation << 8 | place among the 256 cells."""
    entries = []
    for index in range(4 << 8):
        place, orientation = _step(index >> 8, index >> 4 & 15, index & 15)
        entries.append(orientation << 8 | place)
    return np.array(entries, dtype=np.int32)


_TABLE = _table()


def codes(lats: NDArray[np.float64], lons: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places on the curve, 0 to 2**48 - 1, of positions in degrees within [-90, 90] and [-180, 180]."""
    last = (1 << LEVELS) - 1
    column = np.minimum((lons + 180.0) * ((1 << LEVELS) / 360.0), last).astype(np.int32)
    row = np.minimum((lats + 90.0) * ((1 << LEVELS) / 180.0), last).astype(np.int32)
    place = np.zeros(len(lats), dtype=np.int64)
    entry = np.zeros(len(lats), dtype=np.int32)
    for shift in range(LEVELS - _AT_ONCE, -1, -_AT_ONCE):
        entry = _TABLE[entry & 0x300 | (column >> shift & 15) << 4 | row >> shift & 15]
        place = place << 8 | entry & 0xFF
    return place
