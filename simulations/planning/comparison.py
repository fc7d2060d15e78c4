"""Policies against the first one, on the same incidents and medics (common random numbers).

The difference is taken in each replication and then averaged; its interval is over replications. Intervals
tell what chance alone could do: how wrong the inputs may be (rates, behaviour, places) they do not contain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulations.planning.intervals import (
    LEVEL,
    Interval,
    around,
    complement,
    interval,
    of_few,
    students_t,
)
from simulations.planning.measures import MAIN, MEASURES, Measure
from simulations.planning.tally import Tally

Rows = Sequence[Sequence[Tally]]
"""A row a replication, in index order; a column a policy."""

FIRST_LOOK, GROWTH = 30, 1.5
"""Fewer replications than the first look are too few for an interval to hold what it says."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measure's difference between two policies: ``policy`` less ``baseline``."""

    policy: int
    baseline: int
    measure: str
    difference: Interval
    variance_ratio: float | None
    """Of the paired difference's variance to an unpaired one's: what common random numbers save.

    None: nothing varies.
    """


_COUNTED = {measure.name: measure for measure in MEASURES if measure.is_counted}


def estimate(rows: Rows, policy: int, measure: str, level: float = LEVEL) -> Interval | None:
    """A policy's mean; None where no replication has the measure."""
    held = [row[policy] for row in rows if measure in row[policy].values]
    if not held:
        return None
    found = interval([one.values[measure] for one in held], level)
    if measure not in _COUNTED or not found.variance:
        return found
    one_more = math.fsum(1 / max(1, one.alarms) for one in held) / len(held) ** 2
    if _COUNTED[measure].unit == "share" and found.mean > 0.5:
        return complement(of_few(complement(found), one_more, level))
    return of_few(found, one_more, level)


def alarms_alike(rows: Rows, policy: int, measure: Measure) -> int:
    """How many alarms there were, where none of them counted or, of a share, all did; else 0.

    No replication differs from another then, and Student's t would make an interval without a width.
    """
    found = estimate(rows, policy, measure.name)
    alike = {"share": (0.0, 1.0), "alarm": (0.0,)}.get(measure.unit, ())
    if found is None or found.variance or found.mean not in alike or measure.is_of_arrests:
        return 0
    return sum(row[policy].alarms for row in rows)


def compare(rows: Rows, level: float = LEVEL) -> list[Comparison]:
    """Each policy but the first with the first, in every measure.

    Absent is a measure that no replication has, and one that is infinite in some (a percentile that nobody
    reached): forever less forever is no number.
    """
    policies = len(rows[0]) if rows else 0
    found = (
        compared(rows, policy, measure.name, level) for policy in range(1, policies) for measure in MEASURES
    )
    return [one for one in found if one is not None]


def compared(rows: Rows, policy: int, measure: str, level: float = LEVEL) -> Comparison | None:
    pairs = [
        (row[policy].values[measure], row[0].values[measure])
        for row in rows
        if measure in row[policy].values and measure in row[0].values
    ]
    if not pairs or not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    difference = interval([ours - theirs for ours, theirs in pairs], level)
    alone = [interval([pair[column] for pair in pairs], level) for column in (0, 1)]
    return Comparison(policy, 0, measure, difference, _ratio(difference, alone))


FEW_DIFFER = 20
"""Counted by replication; with more of them Student's t holds what it says, well enough."""


def few_differ(rows: Rows, one: Comparison) -> bool:
    """Whether so few alarms make the difference that its interval may end too near 0 on the far side.

    Of what is not counted (seconds, survival): so few replications, and fewer than half of them.
    """
    if not one.difference.variance:
        return False
    pairs = [
        (ours, theirs)
        for ours, theirs in ((row[one.policy], row[one.baseline]) for row in rows)
        if one.measure in ours.values and one.measure in theirs.values
    ]
    if one.measure not in _COUNTED:
        differ = sum(ours.values[one.measure] != theirs.values[one.measure] for ours, theirs in pairs)
        return differ < min(FEW_DIFFER, len(pairs) / 2)
    events = (
        abs(ours.values[one.measure] * ours.alarms - theirs.values[one.measure] * theirs.alarms)
        for ours, theirs in pairs
    )
    return sum(map(round, events)) < FEW_DIFFER


def with_inputs(one: Comparison, redrawn: Rows, level: float = LEVEL) -> Interval | None:
    """The difference's interval with what the inputs' samples could have been.

    ``redrawn``: replications with the samples drawn anew in each. Their differences vary by sample and by
    chance; less chance's variance, known from the plain replications, is the sample's, which does not shrink
    with more of those. None where either is unknown.
    """
    drawn = compared(redrawn, one.policy, one.measure, level)
    chance = one.difference.variance
    if drawn is None or drawn.difference.variance is None or chance is None:
        return None
    n = drawn.difference.n
    variance = max(0.0, drawn.difference.variance - chance) + chance / one.difference.n
    return around(one.difference.mean, students_t(n, level) * math.sqrt(variance), variance, n)


def _ratio(difference: Interval, alone: Sequence[Interval]) -> float | None:
    unpaired = math.fsum(one.variance or 0.0 for one in alone)
    if difference.variance is None or not unpaired:
        return None
    return difference.variance / unpaired


@dataclass(frozen=True, slots=True)
class Stopping:
    """When enough replications were made: looks at 30 x 1.5^j of them, the level split evenly over the looks.

    So the intervals hold together with the level that they say, however often one looked (Bonferroni).
    """

    at_most: int
    """Replications; the last look."""
    within_s: float
    """A difference in seconds gained that is known to within this is known well enough."""
    level: float = LEVEL

    @property
    def looks(self) -> tuple[int, ...]:
        found, look = [], float(FIRST_LOOK)
        while math.ceil(look) < self.at_most:
            found.append(math.ceil(look))
            look *= GROWTH
        return (*found, self.at_most)

    @property
    def level_at_a_look(self) -> float:
        return 1 - (1 - self.level) / len(self.looks)

    def enough(self, rows: Rows) -> bool:
        """Whether to stop after these: at a look, each difference clear of 0 or known well enough.

        A policy alone has no difference: then its own mean counts, by ``within_s``.
        """
        if len(rows) not in self.looks:
            return False
        level, policies = self.level_at_a_look, len(rows[0])
        if policies == 1:
            return self._is_known(estimate(rows, 0, MAIN, level), clear_of_0=False)
        pairs = [compared(rows, policy, MAIN, level) for policy in range(1, policies)]
        return all(
            self._is_known(None if pair is None else pair.difference, clear_of_0=True) for pair in pairs
        )

    def _is_known(self, one: Interval | None, clear_of_0: bool) -> bool:
        """A measure that no replication has is as known as it will be."""
        if one is None:
            return True
        if one.half_width is None:
            return False
        return one.half_width <= self.within_s or (clear_of_0 and abs(one.mean) > one.half_width)
