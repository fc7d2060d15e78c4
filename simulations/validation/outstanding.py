"""k alerts are kept open, each answered after an exponential time of mean T, accepted with probability a.

Whoever declines is replaced at once, so accepts come at the rate k a / T: the first after an exponential time
of mean T / (k a).
"""

import math
from collections.abc import Sequence

import numpy as np

from dispatch.core import events as e
from dispatch.core.policy import Policy
from dispatch.records import Record
from dispatch.roster.roster import Roster
from simulations.behaviour import Plan
from simulations.planning.draws import Draws, Purpose
from simulations.planning.engine import Asked
from simulations.validation import power
from simulations.validation.check import Check, distribution, mean
from simulations.validation.world import SEED, STARTS_AT, Report, Run, in_a_row, plan, policy

CASES = ((2, 0.8, 40.0), (7, 0.3, 40.0))
"""k, a, T in s."""
MEDICS = 120
APART_MS = 2 * 3_600_000
_BOTH = (Purpose.ACCEPTS, Purpose.DELAY)


class KeptOutstanding(Run):
    def __init__(
        self, roster: Roster, rules: Policy, a: float, answer_s: float, draws: Draws, n: int
    ) -> None:
        super().__init__(roster, rules)
        self._a, self._answer_s, self._draws = a, answer_s, draws
        self._opened_at = np.zeros(n, dtype=np.int64)
        self.first_s = np.full(n, math.inf)

    def reported(self, number: int) -> None:
        self._opened_at[number] = self.engine.now

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        medics = [int(one.medic_id) for one in asked]
        accepts, delays = self._draws.table(_BOTH, number, medics, [one.nth for one in asked])
        return [
            plan("accept" if chance < self._a else "decline", answer_s)
            for chance, answer_s in zip(
                accepts.tolist(), (-self._answer_s * np.log(delays)).tolist(), strict=True
            )
        ]

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        for event in events:
            if type(event) is e.AlertAnswered and event.answer == "accept":
                self.first_s[number] = (at - self._opened_at[number]) / 1000
                self.close_after(number, 2000)


def checks(*, put_in: float = 0.0, caught: float = power.BIAS) -> list[Check]:
    """``put_in``: so much more time than it should take."""
    found: list[Check] = []
    n = power.of_a_mean(1.0, caught)
    for case, (k, a, answer_s) in enumerate(CASES):
        rules = policy(waves=[(0, k)], wanted=1)
        run = KeptOutstanding(in_a_row(MEDICS), rules, a, answer_s * (1 + put_in), Draws(SEED, case), n)
        run.play(Report(STARTS_AT + APART_MS * number, 0.0, 0.0) for number in range(n))
        expected_s = answer_s / (k * a)
        name = f"first accept, {k} kept open, share {a}, answers after {answer_s:.0f} s"
        found.append(mean(f"{name}, mean s", expected_s, run.first_s))
        points = np.sort(run.first_s)
        ours = np.arange(1, n + 1) / n
        found.append(distribution(name, -np.expm1(-points / expected_s), ours, n))
    return found
