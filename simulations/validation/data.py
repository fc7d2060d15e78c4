"""The data files that some checks need: they are no part of the project, and may be absent."""

import os
from pathlib import Path

import numpy as np

from simulations.planning.records import Flags, Floats

FOLDER = "VALIDATION_DATA"
"""Names another folder than ../shared/data from the project's root."""
USUAL = Path(__file__).parents[3] / "shared" / "data"

RESPONSES, ARRESTS = "volunteer_responses.csv", "ohca_cases.csv"


class Absent(Exception):
    """The text is the reason for what is skipped."""


def responses() -> Floats:
    """A row an alert: 0, 1 or 2 (0: no answer), and the answer's delay in s, NaN without one.

    Raises `Absent`.
    """
    return _numbers(RESPONSES)


def arrests() -> tuple[Floats, Floats]:
    """By arrest, in order: hours from the file's start to the dispatch, and from there to the ambulance, min.

    The second is NaN where it can not be right: not after the dispatch, or more than two hours later. There
    are 34 of the latter, a day late to the minute. Raises `Absent`.
    """
    rows = _numbers(ARRESTS)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    drive_min = 60 * (rows[:, 3] - rows[:, 0])
    wrong: Flags = (drive_min <= 0) | (drive_min > 120)
    return rows[:, 0], np.where(wrong, np.nan, drive_min)


def _numbers(name: str) -> Floats:
    path = Path(os.environ.get(FOLDER) or USUAL) / name
    if not path.exists():
        raise Absent(f"needs {name}, absent here: put it into ../shared/data or name its folder by {FOLDER}")
    return np.genfromtxt(path, delimiter=",", skip_header=1)
