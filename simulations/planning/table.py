"""CSV files with a header: bad rows are counted, listed, and refused unless they are to be skipped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from simulations.csv_rows import BrokenRow, csv_rows
from simulations.planning.errors import LISTED_MAX, ScenarioError
from simulations.planning.region import read_text

T = TypeVar("T")
Row = Mapping[str, str]
"""By the column's name as it is asked for; stripped; an absent column is an empty text."""


@dataclass(slots=True)
class BadRows:
    """What to do with them, and what was left out of which file."""

    skip: bool = False
    notes: list[str] = field(default_factory=list)

    def settle(self, path: Path, bad: Sequence[str], of: int) -> None:
        """Raises `ScenarioError` where there are some and they are not to be skipped."""
        if not bad:
            return
        listed = [
            *bad[:LISTED_MAX],
            *([f"and {len(bad) - LISTED_MAX} more"] if len(bad) > LISTED_MAX else []),
        ]
        if not self.skip:
            reason = f"{len(bad)} of {of} rows can not be used ({bad[0]}); --skip-bad-rows leaves them out"
            raise ScenarioError(str(path), "", reason, listed)
        self.notes += [f"{path}: {len(bad)} of {of} rows left out", *(f"  {line}" for line in listed)]


class _Made(NamedTuple, Generic[T]):
    line: int
    one: T
    is_copy: bool


def read_rows(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    row: Callable[[Row], T],
    bad: BadRows,
    faults_of: Callable[[Sequence[T]], Mapping[int, str]] = lambda _: {},
    copies_are: str = "",
) -> list[T]:
    """What ``row`` makes of each; its ValueError says what is wrong with one.

    ``columns``: the header names, in small letters, taken for each column. ``faults_of`` looks at all of them
    at once, and says by index what is wrong with some. ``copies_are``: what rows that are another again, cell
    by cell, are taken for, which ``bad`` then notes; empty: they say nothing. Raises `ScenarioError`.
    """
    try:
        made, faults = _read(path, columns, needed, row)
    except BrokenRow as error:
        raise ScenarioError(str(path), "", str(error)) from None
    of = len(made) + len(faults)
    found = faults_of([one for _, one, _ in made]) if made else {}
    faults += [(made[index].line, reason) for index, reason in found.items()]
    bad.settle(path, [f"line {line}: {reason}" for line, reason in sorted(faults)], of)
    kept = [row for index, row in enumerate(made) if index not in found]
    if not kept:
        raise ScenarioError(str(path), "", "has no row that can be used")
    copies = [line for line, _, is_copy in kept if is_copy]
    if copies and copies_are:
        first = f"{len(copies)} of {len(kept)} rows, line {copies[0]} the first"
        bad.notes.append(f"{path}: exact copies of a row before: {first}; each is taken for {copies_are}")
    return [one for _, one, _ in kept]


def _read(
    path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str], row: Callable[[Row], T]
) -> tuple[list[_Made[T]], list[tuple[int, str]]]:
    """By line: what was made of it, or what is wrong with it."""
    text = read_text(path)
    rows = csv_rows(StringIO(text, newline=""), text.partition("\n")[0], strict=True)
    header = next(rows, None)
    names = [name.strip().lower() for name in header.cells] if header else []
    at = _positions(path, names, columns, needed)
    made: list[_Made[T]] = []
    faults: list[tuple[int, str]] = []
    seen: set[tuple[str, ...]] = set()
    for _, line, cells in rows:
        if any(cells):
            try:
                one = row({what: _cell(cells, position) for what, position in at.items()})
            except ValueError as error:
                faults.append((line, str(error)))
            else:
                made.append(_Made(line, one, tuple(cells) in seen))
                seen.add(tuple(cells))
    return made, faults


def _positions(
    path: Path, names: Sequence[str], columns: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> dict[str, int]:
    """Where each column stands; -1: absent."""
    at = {
        what: next((names.index(one) for one in known if one in names), -1) for what, known in columns.items()
    }
    for name in (names[position] for position in at.values() if position >= 0):
        if names.count(name) > 1:
            raise ScenarioError(str(path), "", f"has the column {name} {names.count(name)} times")
    for what in needed:
        if at[what] < 0:
            known = " or ".join(columns[what])
            reason = f"has no column {known} (has: {', '.join(names)[:200] or 'none'})"
            raise ScenarioError(str(path), "", reason)
    return at


def _cell(cells: Sequence[str], position: int) -> str:
    return cells[position].strip() if 0 <= position < len(cells) else ""


def amount(text: str, what: str, most: float) -> float:
    """A number, 0 to ``most``, which is finite. ValueError says what is wrong with it."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{what} is no number: {text[:40]!r}") from None
    if not 0 <= value <= most:
        raise ValueError(f"{what} is not within 0 to {most:g}: {text[:40]}")
    return value
