"""Real emergency calls from a CSV file, with their own places, times and kinds.

The file stays the user's: nothing of it is kept. A row that cannot be used is counted and listed with its
line and reason; a file without usable columns is refused in one line that says what to do.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from itertools import chain
from pathlib import Path
from typing import TextIO

import msgspec

from simulations.call_kinds import kind_of_title
from simulations.csv_rows import BrokenRow, CsvRow, csv_rows

COLUMN_NAMES = {
    "lat": ("lat", "latitude", "y"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
    "time": ("time", "timestamp", "datetime", "called_at", "date"),
    "kind": ("title", "kind", "type", "call_type", "nature", "description"),
    "address": ("address", "addr", "location", "street"),
}
"""The header names, in lower case, taken for a column that no flag names; the first match counts."""

BAD_ROWS_LISTED_MAX = 20

YEARS = (1900, 2200)
"""Times of calls lie from the first on and before the second: Unix milliseconds taken for seconds do not."""

UNIX_S_MIN = 100_000_000
"""From 1973 on. A smaller number is a spreadsheet's day (45746.5), an hour, a year: no Unix seconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOUNDS_S = tuple((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds() for year in YEARS)


_END = "\x1a the file's last line"
"""Read after it: a quote that is still open takes it in."""


_UTF_16 = "\ufffd\ufffd"
"""Its mark at the beginning, read as UTF-8."""


class UnusableFile(Exception):
    """The file has nothing to replay; the text is one line for a person."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class Call(msgspec.Struct, frozen=True, gc=False):
    """One emergency call, as a control room would report it."""

    reference: str
    kind: str
    lat: float
    lon: float
    at_s: float
    """Seconds since the replay's start, in real time."""
    title: str
    """What the source says happened."""
    address: str | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class CallColumns:
    """The header names to read; None: detected (see `COLUMN_NAMES`)."""

    lat: str | None = None
    lon: str | None = None
    time: str | None = None
    kind: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str


@dataclass(slots=True)
class CallFile:
    """What a file holds: its calls in order of time, and what was left out and why."""

    calls: list[Call] = field(default_factory=list)
    not_medical: Counter[str] = field(default_factory=Counter)
    bad_rows: list[BadRow] = field(default_factory=list)

    def report(self) -> str:
        """What was left out, a line per bad row (at most `BAD_ROWS_LISTED_MAX`)."""
        lines = [
            f"{len(self.calls)} calls, {self.not_medical.total()} not medical, {len(self.bad_rows)} bad rows"
        ]
        lines += [f"  line {bad.line}: {bad.reason}" for bad in self.bad_rows[:BAD_ROWS_LISTED_MAX]]
        if len(self.bad_rows) > BAD_ROWS_LISTED_MAX:
            lines.append(f"  and {len(self.bad_rows) - BAD_ROWS_LISTED_MAX} more")
        return "\n".join(lines)


def read_calls(path: Path, columns: CallColumns | None = None) -> CallFile:
    """The calls in a CSV file with a header (comma, semicolon or tab; UTF-8).

    Raises `UnusableFile` when it cannot be read, lacks a column or has no medical call at all.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            held = _read(path, lines, columns or CallColumns())
    except OSError as error:
        raise UnusableFile(f"{path}: cannot be read ({error.strerror})") from error
    if not held.calls:
        raise UnusableFile(f"{path}: nothing to replay ({'; '.join(held.report().splitlines()[:2])})")
    return held


def _read(path: Path, lines: TextIO, columns: CallColumns) -> CallFile:
    rows = _rows(path, lines)
    header = next(rows, None)
    where = _positions(path, header.cells if header else [], columns)
    held = CallFile()
    dated: list[tuple[float, int, Call]] = []
    for _, line, row in rows:
        if not any(row):
            continue
        try:
            unix_s, call = _call(row, where, line)
        except _NotMedical as title:
            held.not_medical[str(title)] += 1
        except ValueError as error:
            held.bad_rows.append(BadRow(line, str(error)))
        else:
            dated.append((unix_s, line, call))
    held.calls.extend(_from_the_first(dated))
    return held


def _rows(path: Path, lines: TextIO) -> Iterator[CsvRow]:
    """Raises `UnusableFile` where one would swallow the rest of the file."""
    header = lines.readline()
    if header.startswith(_UTF_16) and "\0" in header:
        raise UnusableFile(f"{path}: is UTF-16: save it as CSV in UTF-8")
    lines.seek(0)
    try:
        for row in csv_rows(chain(lines, (_END,)), header):
            if row.cells == [_END]:
                return
            if row.cells and row.cells[-1].endswith(_END):
                raise UnusableFile(
                    f"{path}: the row from line {row.first} on has a quote that is never closed"
                )
            yield row
    except BrokenRow as error:
        raise UnusableFile(f"{path}: {error}") from error


def _positions(path: Path, header: list[str], columns: CallColumns) -> dict[str, int | None]:
    names = [name.strip().lower() for name in header]
    where = {what: _position(path, what, names, getattr(columns, what)) for what in COLUMN_NAMES}
    for what in ("lat", "lon", "time", "kind"):
        if where[what] is None:
            has = ", ".join(header)[:200] or "none"
            raise UnusableFile(
                f"{path}: no column for {what}; name it with --calls-{what}-column (has: {has})"
            )
    return where


def _position(path: Path, what: str, names: list[str], wanted: str | None) -> int | None:
    if wanted is not None:
        if wanted.strip().lower() not in names:
            raise UnusableFile(f"{path}: has no column {wanted!r} (--calls-{what}-column)")
        return names.index(wanted.strip().lower())
    return next((names.index(name) for name in COLUMN_NAMES[what] if name in names), None)


class _NotMedical(Exception):
    """The title says that no medic is needed."""


def _call(row: list[str], where: dict[str, int | None], line: int) -> tuple[float, Call]:
    lat, lon = (degrees(_cell(row, where[what]), what, most) for what, most in (("lat", 90), ("lon", 180)))
    if lat == lon == 0.0:
        raise ValueError("place is 0, 0")
    at_unix_s = unix_s(_cell(row, where["time"]))
    title = _cell(row, where["kind"])
    kind = kind_of_title(title)
    if kind is None:
        raise _NotMedical(title)
    address = _cell(row, where["address"]) or None
    return at_unix_s, Call(f"call-{line}", kind, lat, lon, 0.0, title, address and address[:200])


def _cell(row: list[str], position: int | None) -> str:
    return row[position].strip() if position is not None and position < len(row) else ""


def degrees(text: str, what: str, most: float) -> float:
    """A latitude (``most`` 90) or longitude (180); ValueError says what is wrong with it."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{what} is no number: {text[:40]!r}") from None
    if not math.isfinite(value) or abs(value) > most:
        raise ValueError(f"{what} is out of range: {text[:40]}")
    return value


def unix_s(text: str, clock: tzinfo = UTC) -> float:
    """ISO 8601, on ``clock`` where it has no offset, a day alone as its midnight; or Unix seconds.

    A replay needs differences only and takes a time without an offset for UTC. ValueError says what is wrong.
    """
    seconds = _unix_s(text, clock)
    if not math.isfinite(seconds):
        raise ValueError(f"time is neither ISO 8601 nor Unix seconds: {text[:40]!r}")
    if not _BOUNDS_S[0] <= seconds < _BOUNDS_S[1]:
        raise ValueError(f"time is not within the years {YEARS[0]} to {YEARS[1] - 1}: {text[:40]!r}")
    return seconds


def _unix_s(text: str, clock: tzinfo) -> float:
    """NaN: it is no time at all."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            seconds = float(text)
        except ValueError:
            return math.nan
        return seconds if seconds >= UNIX_S_MIN else math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=clock)).timestamp()


def is_a_day(text: str) -> bool:
    """Whether it names a day and no time of it."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _from_the_first(dated: list[tuple[float, int, Call]]) -> Iterator[Call]:
    dated.sort(key=lambda entry: entry[:2])
    for unix_s, _, call in dated:
        yield msgspec.structs.replace(call, at_s=unix_s - dated[0][0])
