"""Medics from a CSV file: name, phone, language, skills, mode, home_lat, home_lon. All rows, or none."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from dispatch.api import shapes
from dispatch.api.reading import CONTROL, NO_CONTROL, told
from dispatch.ids import new_id
from dispatch.records import Medic, Place

REQUIRED = ("name", "phone")
OPTIONAL = ("language", "skills", "mode", "home_lat", "home_lon")
FAULTS_TOLD_MAX = 20
HOME = "home"


class UnusableFile(ValueError):
    """A file that can not be imported; each line names a line of the file, its field and what is wrong."""


class Row(shapes.Shape, frozen=True):
    """One line of the file, as the API would take it."""

    name: shapes.Name
    phone: shapes.Phone
    language: shapes.Language = "nl"
    skills: tuple[shapes.Skill, ...] = ()
    mode: shapes.Mode = "foot"
    home_lat: shapes.Lat | None = None
    home_lon: shapes.Lon | None = None


def read_medics(path: Path, *, available: bool) -> dict[int, Medic]:
    """The medics of the file by their (last) lines, in its order. A home holds at all hours.

    Raises UnusableFile.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            _check_header(path, reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeError, csv.Error) as error:
        raise UnusableFile(f"{path}: can not be read: {error}") from None
    medics: dict[int, Medic] = {}
    faults = []
    for line, row in rows:
        try:
            medics[line] = _medic(row, available)
        except ValueError as error:
            faults.append(f"{path}: line {line}: {error}")
    if faults:
        more = [f"and {len(faults) - FAULTS_TOLD_MAX} more"] if len(faults) > FAULTS_TOLD_MAX else []
        raise UnusableFile("\n".join(faults[:FAULTS_TOLD_MAX] + more))
    return medics


def _check_header(path: Path, header: Sequence[str]) -> None:
    for name in REQUIRED:
        if name not in header:
            hint = "the first line names the columns, with commas between"
            raise UnusableFile(f"{path}: has no column {name}: {hint}")
    for name in header:
        if name not in REQUIRED + OPTIONAL:
            raise UnusableFile(
                f"{path}: column {name} is not known; known are {', '.join(REQUIRED + OPTIONAL)}"
            )
        if header.count(name) > 1:
            raise UnusableFile(f"{path}: column {name} stands twice")


def _medic(sent: Mapping[str, str | None], available: bool) -> Medic:
    if None in sent:
        raise ValueError("has more fields than the header")
    given: dict[str, object] = {key: value.strip() for key, value in sent.items() if value and value.strip()}
    for key, value in given.items():
        if CONTROL.search(str(value)):
            raise ValueError(f"{key}: {NO_CONTROL}")
    if "skills" in given:
        given["skills"] = str(given["skills"]).replace(",", " ").replace(";", " ").split()
    try:
        row = msgspec.convert(given, Row, strict=False)
    except msgspec.ValidationError as error:
        field, title = told(str(error))
        raise ValueError(f"{field}: {title}") from None
    if (row.home_lat is None) != (row.home_lon is None):
        raise ValueError("home_lat and home_lon belong together")
    return _registered(row, available)


def _registered(row: Row, available: bool) -> Medic:
    home = () if row.home_lat is None or row.home_lon is None else (Place(HOME, row.home_lat, row.home_lon),)
    return Medic(
        id=new_id(),
        name=row.name,
        phone=row.phone,
        language=row.language,
        skills=row.skills,
        mode=row.mode,
        cleared_for_homes=False,
        verified=True,
        suspended=False,
        certificate_until=None,
        registered_by=None,
        available=available,
        places=home,
    )
