"""What became of the calls, counted while the engine runs: it is told of everything and steers nothing."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.records import Record
from simulations.planning.records import ARRIVALS_KEPT, Calls, Ints, Outcomes

Uncovered = Literal["withdrawn", "overdue", "else"]


class Counts:
    """Of one call. ``there``: at how many seconds since it was answered medics came to the patient.

    ``again``: alerts to those who had one before, by what uncovered the incident last; ``overdue``: who was
    taken for that.
    """

    __slots__ = (
        "accepts",
        "again",
        "alerts",
        "medics",
        "overdue",
        "overdue_came",
        "redundant",
        "reported",
        "there",
        "uncovered",
    )

    def __init__(self) -> None:
        self.alerts = self.medics = self.accepts = self.redundant = self.overdue_came = 0
        self.again: dict[Uncovered, int] = {"withdrawn": 0, "overdue": 0, "else": 0}
        self.overdue: set[str] = set()
        self.uncovered: Uncovered = "else"
        self.reported = False
        self.there: list[float] = []


class OutcomesWatch:
    """``wanted``: by kind, how many medics the policy wants. Medics' ids are their rows."""

    def __init__(self, calls: Calls, medics: int, wanted: Sequence[int]) -> None:
        self._calls, self._wanted = calls, wanted
        self._answered_at: list[int] = calls.answered_at.tolist()
        self._ambulance_at: list[int] = calls.ambulance_patient_at.tolist()
        self._kerb_to_patient_s: list[float] = calls.kerb_to_patient_s.tolist()
        self._kind: list[int] = calls.kind.tolist()
        self._of = [Counts() for _ in range(len(calls))]
        self._medic_alerts = np.zeros(medics, dtype=np.int32)

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        counts, asked = self._of[number], record.asked
        for place, event in enumerate(events):
            if type(event) is e.AlertRequested:
                counts.alerts += 1
                if event.first == event.n:
                    counts.medics += 1
                else:
                    counts.again[_why_again(record, event, counts.uncovered)] += 1
                self._medic_alerts[int(asked[event.n - 1].medic_id)] += 1
            elif type(event) is e.AlertOverdue:
                counts.overdue.add(asked[event.n - 1].medic_id)
            elif type(event) is e.IncidentUncovered:
                counts.uncovered = _what_uncovered(events[:place])
            elif type(event) is e.IncidentOpened:
                counts.reported = True

    def answered(
        self, number: int, at: int, n: int, medic_id: str, answer: e.Answer, refused: c.Refused | None
    ) -> None:
        if answer == "accept" and refused is None:
            self._of[number].accepts += 1

    def arrived(self, number: int, at: int, medic_id: str) -> None:
        """At the kerb; the patient is a little farther."""
        counts = self._of[number]
        there_s = (at - self._answered_at[number]) / 1000 + self._kerb_to_patient_s[number]
        ambulance_s = (self._ambulance_at[number] - self._answered_at[number]) / 1000
        enough = len(counts.there) >= self._wanted[self._kind[number]]
        counts.redundant += enough or there_s >= ambulance_s
        counts.overdue_came += medic_id in counts.overdue
        counts.there.append(there_s)

    def outcomes(self) -> Outcomes:
        of = self._of
        at_patient_s = np.full((len(of), ARRIVALS_KEPT), np.inf)
        for row, counts in enumerate(of):
            first = counts.there[:ARRIVALS_KEPT]
            at_patient_s[row, : len(first)] = first
        return Outcomes(
            alerts=_column(one.alerts for one in of),
            medics=_column(one.medics for one in of),
            again_withdrawn=_column(one.again["withdrawn"] for one in of),
            again_overdue=_column(one.again["overdue"] for one in of),
            again_else=_column(one.again["else"] for one in of),
            accepts=_column(one.accepts for one in of),
            arrivals=_column(len(one.there) for one in of),
            redundant=_column(one.redundant for one in of),
            wasted=_column(one.accepts - len(one.there) for one in of),
            at_patient_s=at_patient_s,
            overdue_came=_column(one.overdue_came for one in of),
            nobody=np.array([one.reported and not one.medics for one in of], dtype=np.bool_),
            medic_alerts=self._medic_alerts,
        )


def _what_uncovered(before: Sequence[e.AnyEvent]) -> Uncovered:
    """``before``: the events of the same commit until it was uncovered; the last of a medic's tells."""
    for event in reversed(before):
        if type(event) is e.AlertOverdue:
            return "overdue"
        if type(event) is e.AlertAnswered:
            return "withdrawn" if event.answer == "decline" else "else"
    return "else"


def _why_again(record: Record, again: e.AlertRequested, uncovered: Uncovered) -> Uncovered:
    """What uncovered the incident, where it was that of which she was stood down before."""
    hers = [alert for alert in record.state.alerts[: again.n - 1] if alert.first == again.first]
    return uncovered if hers[-1].reason == "covered" else "else"


def _column(numbers: Iterable[int]) -> Ints:
    return np.fromiter(numbers, dtype=np.int32)
