"""The further behind a node is, the more of the reports it refuses: all or nothing would have it swing."""

from typing import NamedTuple

import pytest

from dispatch.api.admission import SHARES, Admission, Work
from dispatch.deciding.backlog import Backlog
from dispatch.metrics import Metrics


class Behind(NamedTuple):
    behind_s: float
    lasting_s: float


def taken_of_60(work: Work, behind_s: float, lasting_s: float | None = None) -> int:
    lag = Behind(behind_s, behind_s if lasting_s is None else lasting_s)
    admission = Admission(Backlog(), lag, Metrics())
    return sum(admission.takes(work) for _ in range(60))


@pytest.mark.parametrize(
    ("behind_s", "taken"), [(0.0, 60), (0.2, 60), (0.25, 50), (0.35, 30), (0.5, 0), (9.0, 0)]
)
def test_of_reports(behind_s: float, taken: int) -> None:
    assert abs(taken_of_60("incident", behind_s) - taken) <= 1


def test_a_burst_of_them_is_taken() -> None:
    """Up to half a second of it: then none of it would be done in time."""
    assert taken_of_60("incident", 0.49, lasting_s=0.2) == 60
    assert taken_of_60("incident", 0.5, lasting_s=0.2) == 0


def test_one_by_one_and_not_in_a_row() -> None:
    admission = Admission(Backlog(), Behind(0.35, 0.35), Metrics())
    said = [admission.takes("incident") for _ in range(40)]
    assert all(any(said[i : i + 3]) and not all(said[i : i + 3]) for i in range(38))


@pytest.mark.parametrize("work", ["answer", "read", "position"])
def test_all_else_is_taken_or_not(work: Work) -> None:
    bears_s = SHARES[work].behind_s
    assert (taken_of_60(work, 0.99 * bears_s), taken_of_60(work, bears_s)) == (60, 0)


def test_what_is_done_about_incidents_that_there_are_always() -> None:
    assert taken_of_60("change", 60.0) == 60
