"""Real road collisions in Ireland, 2005 to 2016, from the PyPI package `road-collisions-ireland`.

It is in the public domain. The package's own code is neither run nor imported (it asks for pandas): one of
its resources is read. Of each row only what an emergency call would say is taken, nothing about the people.
"""

import csv
import io
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, files

import msgspec

from simulations.behaviour import draw
from simulations.calls import Call, UnusableFile

PACKAGE = "road-collisions-ireland"
RESOURCE = "road_collisions_ireland/resources/ireland/ireland.csv.tgz"
MEMBER = "ireland.csv"

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOUR_BANDS = {
    "7-10": (7, 10),
    "10-16": (10, 16),
    "16-19": (16, 19),
    "19-23": (19, 23),
    "23-3": (23, 27),
    "3-7": (3, 7),
}
"""Hours of the weekday; `23-3` runs into the next day."""

PRIORITIES = {"fatal": 1, "serious": 2, "minor": 3}
"""Every collision is a `traffic_accident`. How badly people were hurt, known only afterwards, stands in for
what a caller would say, and decides its priority."""

DAY_S = 86_400
WEEK_S = 7 * DAY_S
WEEKS = 4
"""Twelve years of a town, laid over so many weeks, are a collision every few minutes: busy, yet watchable."""
FIRST_YEAR = 2005
REPLAY_STARTS_S = 4 * DAY_S + 16 * 3600
"""Friday 16:00, the beginning of the busiest hours of the week."""


class Box(msgspec.Struct, frozen=True):
    """A bounding box in degrees, its edges included."""

    south: float
    north: float
    west: float
    east: float

    def holds(self, lat: float, lon: float) -> bool:
        return self.south <= lat <= self.north and self.west <= lon <= self.east


DUBLIN = Box(53.20, 53.46, -6.50, -6.03)


class Collision(msgspec.Struct, frozen=True, gc=False):
    """One row. Its `county` is left out: it is sometimes wrong."""

    row: int
    lat: float
    lon: float
    year: int
    weekday: str
    hour_band: str | None
    severity: str
    circumstances: str | None


def read_collisions(box: Box | None = None) -> list[Collision]:
    """All collisions, or those in `box`, in the file's order.

    Raises `UnusableFile` when the package is not installed.
    """
    return [row for row in _rows() if box is None or box.holds(row.lat, row.lon)]


def _rows() -> Iterator[Collision]:
    with tarfile.open(_resource_path()) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise UnusableFile(f"{PACKAGE}: its {RESOURCE} holds no {MEMBER}")
        reader = csv.reader(io.TextIOWrapper(member, "utf-8", newline=""))
        names = next(reader)
        wanted = ("lat", "lng", "year", "weekday", "hour", "severity", "circumstances")
        at = [names.index(name) for name in wanted]
        for number, row in enumerate(reader):
            lat, lon, year, weekday, hour, severity, circumstances = (row[position] for position in at)
            yield Collision(
                number,
                float(lat),
                float(lon),
                int(year),
                weekday,
                _known(hour),
                severity,
                _known(circumstances),
            )


def _resource_path() -> str:
    try:
        found = [file for file in files(PACKAGE) or [] if str(file) == RESOURCE]
    except PackageNotFoundError:
        found = []
    if not found:
        raise UnusableFile(
            f"the package {PACKAGE} is not installed; install requirements.lock, or give --calls FILE.csv"
        )
    return str(found[0].locate())


def _known(text: str) -> str | None:
    return None if text in ("", "None") else text


def as_calls(collisions: Iterable[Collision], seed: int) -> list[Call]:
    """Calls in order of time, the twelve years laid over four weeks that begin on a Friday at 16:00.

    Every fourth year goes to the same week. A row gives weekday and hour band; the moment within the band is
    drawn, or within the day where the hour is not known.
    """
    calls = [_call(collision, seed) for collision in collisions]
    return sorted(calls, key=lambda call: (call.at_s, call.reference))


def _call(collision: Collision, seed: int) -> Call:
    return Call(
        reference=f"collision-{collision.row}",
        kind="traffic_accident",
        lat=collision.lat,
        lon=collision.lon,
        at_s=_second_of_replay(collision, seed),
        title=describe(collision),
        priority=PRIORITIES.get(collision.severity),
    )


def _second_of_replay(collision: Collision, seed: int) -> float:
    week = (collision.year - FIRST_YEAR) % WEEKS
    return week * WEEK_S + (_second_of_week(collision, seed) - REPLAY_STARTS_S) % WEEK_S


def _second_of_week(collision: Collision, seed: int) -> float:
    first_h, last_h = HOUR_BANDS.get(collision.hour_band or "", (0, 24))
    share = draw(seed, "collision time", str(collision.row), "", 0)
    return WEEKDAYS.index(collision.weekday) * DAY_S + (first_h + (last_h - first_h) * share) * 3600


def describe(collision: Collision) -> str:
    """For example `serious collision, pedestrian, friday 16-19 h, 2008`."""
    said = collision.circumstances not in (None, "other")
    circumstances = (collision.circumstances or "").replace("_", " ") if said else ""
    hours = f" {collision.hour_band} h" if collision.hour_band else ""
    parts = (
        f"{collision.severity} collision",
        circumstances,
        f"{collision.weekday}{hours}",
        str(collision.year),
    )
    return ", ".join(part for part in parts if part)
