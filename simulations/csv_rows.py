"""The rows of a CSV file whose delimiter its header tells, each with the lines that it stands on."""

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class CsvRow(NamedTuple):
    """``first`` and ``last``: its lines, from 1; a quoted cell may go over several."""

    first: int
    last: int
    cells: list[str]


class BrokenRow(Exception):
    """Where a row begins that cannot be read, and why."""


def csv_rows(lines: Iterable[str], header: str, *, strict: bool = False) -> Iterator[CsvRow]:
    """All rows, the header's first. ``strict``: no quote stands within a cell. Raises `BrokenRow`."""
    reader = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=strict)
    first = 1
    try:
        for cells in reader:
            yield CsvRow(first, reader.line_num, cells)
            first = reader.line_num + 1
    except csv.Error as error:
        raise BrokenRow(f"is not a CSV file (the row from line {first} on: {error})") from error
