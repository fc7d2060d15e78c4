"""How far apart two positions are, and how long a medic takes to cover it.

One distance for the whole project: the great circle on a sphere of the Earth's mean radius, taken from the
straight chord between two points of the unit sphere. Whoever measures a distance, the index, the brute force
it is tested against, a single pair or a million, runs the same few elementwise operations and so gets the
same bits; equal distances are equal everywhere, and ties can be broken by key.

Against exact geodesics on the WGS84 ellipsoid the error is below 0.562 % (docs/geo.md derives the bound).
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.7714
"""Mean radius (2a + b) / 3 of WGS84: a = 6,378,137 m, 1/f = 298.257223563 (NIMA TR8350.2, section 3)."""

RELATIVE_ERROR_MAX = 0.00562
"""Most that a distance here differs from the WGS84 geodesic, as a share of the latter."""

DISTANCE_MAX_M = math.pi * EARTH_RADIUS_M
"""From a point to its antipode: no distance is longer."""

_DIAMETER_M = np.array(2.0 * EARTH_RADIUS_M)
"""An array, since those of numpy's functions that are given a Python number take twice the time."""

RADIANS = math.pi / 180.0


class Mode(StrEnum):
    """How a medic travels. Stored names, the same as in the API."""

    FOOT = "foot"
    BICYCLE = "bicycle"
    CAR = "car"


SPEED_M_S: dict[Mode, float] = {Mode.FOOT: 1.7, Mode.BICYCLE: 4.5, Mode.CAR: 8.3}
"""Straight-line metres a second from leaving to arriving, by mode (sources: docs/geo.md)."""


def travel_s(distance_m: float, mode: Mode) -> float:
    """Seconds to cover `distance_m` in a straight line by `mode`."""
    return distance_m / SPEED_M_S[mode]


def travel_times_s(distances_m: NDArray[np.float64], mode: Mode) -> NDArray[np.float64]:
    """`travel_s` of many distances, bit for bit."""
    return distances_m / SPEED_M_S[mode]


def is_position(lat: float, lon: float) -> bool:
    """Whether these are degrees on the globe: -90 to 90 and -180 to 180. False for NaN."""
    return -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0


def unit_vectors(lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
    """Points of the unit sphere, shape (3, ...): x to 0 N 0 E, y to 0 N 90 E, z to the pole. Degrees in."""
    lat_rad = np.multiply(lats, RADIANS, dtype=np.float64)
    lon_rad = np.multiply(lons, RADIANS, dtype=np.float64)
    cos_lat = np.cos(lat_rad)
    return np.stack(
        np.broadcast_arrays(cos_lat * np.cos(lon_rad), cos_lat * np.sin(lon_rad), np.sin(lat_rad))
    )


def unit_vector(lat: float, lon: float) -> NDArray[np.float64]:
    """`unit_vectors` of one position, shape (3,): the same bits, sooner."""
    angles = np.array((lat, lon)) * RADIANS
    (sin_lat, sin_lon), (cos_lat, cos_lon) = np.sin(angles).tolist(), np.cos(angles).tolist()
    return np.array((cos_lat * cos_lon, cos_lat * sin_lon, sin_lat))


def chord_squared(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared straight-line distance between unit vectors (3, ...), in Earth radii squared: 0 to 4.

    By differences, not by a dot product: two points a metre apart keep nine digits.
    """
    d = np.subtract(a, b)
    d *= d
    total: NDArray[np.float64] = d[0] + d[1]
    total += d[2]
    return total


def arc_m(chord_sq: ArrayLike) -> NDArray[np.float64]:
    """Great-circle metres for squared chords: 2 R asin(c / 2)."""
    return half_arc_m(np.minimum(np.sqrt(chord_sq) * 0.5, 1.0))


def half_arc_m(half_chord: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rest of `arc_m`, from half a chord of 0 to 1."""
    metres: NDArray[np.float64] = np.arcsin(half_chord)
    metres *= _DIAMETER_M
    return metres


def chord(distance_m: float) -> float:
    """The chord in Earth radii below an arc of `distance_m`, the inverse of `arc_m` but for rounding."""
    return 2.0 * math.sin(min(distance_m / (2.0 * EARTH_RADIUS_M), math.pi / 2.0))


def great_circle_m(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """Metres between positions in degrees; arrays broadcast against each other."""
    a, b = unit_vectors(lat1, lon1), unit_vectors(lat2, lon2)
    axes = max(a.ndim, b.ndim)
    a = np.expand_dims(a, tuple(range(1, 1 + axes - a.ndim)))
    b = np.expand_dims(b, tuple(range(1, 1 + axes - b.ndim)))
    return arc_m(chord_squared(a, b))


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two positions in degrees, bit for bit what `great_circle_m` gives."""
    return float(arc_m(chord_squared(unit_vector(lat1, lon1), unit_vector(lat2, lon2))))
