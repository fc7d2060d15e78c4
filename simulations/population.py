"""The made-up medics of a demo: spread by real places, with made-up names and numbers that ring nobody.

Where collisions happen people are; that is all that links a medic's home to the places it is spread by.
"""

import csv
from collections.abc import Sequence
from math import pi
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulations.behaviour import draw

Floats: TypeAlias = NDArray[np.float64]

Mode = Literal["foot", "bicycle", "car"]
Language = Literal["nl", "en"]
Word = TypeVar("Word", bound=str)

MEDICS_MAX = 10_000
FIRST_PHONE = 353_209_100_000
"""+353 20 91x xxxx is set aside for drama by Ireland's regulator, so none of them is anybody's."""

JITTER_M = 400.0
M_PER_DEGREE = 111_195.0
"""A degree of latitude on a sphere of 6,371 km."""

MODES: tuple[tuple[float, Mode], ...] = ((0.55, "foot"), (0.85, "bicycle"), (1.0, "car"))
SKILLS = ((0.05, "doctor"), (0.25, "nurse"), (1.0, "first_aid"))
"""Cumulative shares, made up."""

CSV_COLUMNS = ("name", "phone", "language", "skills", "mode", "home_lat", "home_lon")


class Resident(msgspec.Struct, frozen=True):
    """A medic before she is registered. `name` is also her id in every draw."""

    name: str
    phone: str
    language: Language
    skill: str
    mode: Mode
    lat: float
    lon: float
    has_app: bool
    """Otherwise an SMS is all that reaches her."""


def spread(places: Sequence[tuple[float, float]], medics: int, seed: int, app_share: float) -> list[Resident]:
    """`medics` residents at drawn `places` (lat, lon), each up to `JITTER_M` away from it.

    Raises `ValueError` for more than `MEDICS_MAX`, or without places.
    """
    if not 1 <= medics <= MEDICS_MAX:
        raise ValueError(f"between 1 and {MEDICS_MAX:,} medics, not {medics:,}")
    if not places:
        raise ValueError("no places to spread medics by")
    return [_resident(places, number, seed, app_share) for number in range(medics)]


def _resident(places: Sequence[tuple[float, float]], number: int, seed: int, app_share: float) -> Resident:
    name = f"Medic {number + 1:04}"

    def uniform(purpose: str) -> float:
        return draw(seed, purpose, "", name, 0)

    place = places[int(uniform("place") * len(places))]
    at = jittered(*(np.array([one]) for one in (*place, uniform("far"), uniform("bearing"))))
    lat, lon = (round(float(one[0]), 6) for one in at)
    return Resident(
        name=name,
        phone=f"+{FIRST_PHONE + number}",
        language="nl" if uniform("language") < 0.2 else "en",
        skill=_chosen(SKILLS, uniform("skill")),
        mode=_chosen(MODES, uniform("mode")),
        lat=lat,
        lon=lon,
        has_app=uniform("app") < app_share,
    )


def jittered(lat: Floats, lon: Floats, far: Floats, bearing: Floats) -> tuple[Floats, Floats]:
    """A point drawn evenly from the disc of `JITTER_M` around each place, across the 180th meridian too."""
    metres = JITTER_M * np.sqrt(far)
    north, east = metres * np.cos(2 * pi * bearing), metres * np.sin(2 * pi * bearing)
    lons = lon + east / (M_PER_DEGREE * np.cos(np.radians(lat)))
    beyond = np.abs(lons) > 180.0
    return (
        np.clip(lat + north / M_PER_DEGREE, -90.0, 90.0),
        np.where(beyond, (lons + 180.0) % 360.0 - 180.0, lons),
    )


def _chosen(shares: tuple[tuple[float, Word], ...], uniform: float) -> Word:
    return next(word for share, word in shares if uniform < share)


def write_csv(residents: Sequence[Resident], path: Path) -> None:
    """The file that `dispatch medics import` reads."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(CSV_COLUMNS)
        for one in residents:
            writer.writerow((one.name, one.phone, one.language, one.skill, one.mode, one.lat, one.lon))
