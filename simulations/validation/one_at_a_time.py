"""One medic is asked at a time, each accepts with probability a: how many are asked until the m-th accept?

The sum of m geometric numbers: negative binomial, mean m/a, variance m (1 - a)/a^2.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import nbinom

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

CASES = ((0.7, 2), (0.5, 1))
"""a and m."""
MEDICS = 120
ANSWER_S = 1.0
STEP_S = 600
"""From one search for an acceptance to the next: nobody is ever asked in two of them at once."""
APART_MS = 3 * 3_600_000


class OneAtATime(Run):
    def __init__(self, roster: Roster, rules: Policy, a: float, draws: Draws, n: int) -> None:
        super().__init__(roster, rules)
        self._a, self._draws, self._m = a, draws, rules.wanted
        self.alerts = np.zeros(n, dtype=np.int64)
        self._accepts = np.zeros(n, dtype=np.int64)

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        chances = self._draws.many(Purpose.ACCEPTS, number, [int(one.medic_id) for one in asked]).tolist()
        return [plan("accept" if chance < self._a else "decline", ANSWER_S) for chance in chances]

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        for event in events:
            if type(event) is e.AlertRequested:
                self.alerts[number] += 1
            elif type(event) is e.AlertAnswered and event.answer == "accept":
                self._accepts[number] += 1
                if self._accepts[number] == self._m:
                    self.close_after(number, 2000)


def checks(*, put_in: float = 0.0, caught: float = power.BIAS) -> list[Check]:
    """``put_in``: so much more alerts than there should be; the sample is sized to see ``caught``."""
    found: list[Check] = []
    for case, (a, m) in enumerate(CASES):
        n = power.of_a_mean(math.sqrt((1 - a) / m), caught)
        rules = policy(waves=[(STEP_S * k, 1) for k in range(m)], wanted=m)
        run = OneAtATime(in_a_row(MEDICS), rules, a / (1 + put_in), Draws(SEED, case), n)
        run.play(Report(STARTS_AT + APART_MS * k, 0.0, 0.0) for k in range(n))
        name = f"alerts, one at a time, until {m} of share {a} accept"
        found.append(mean(f"{name}, mean", m / a, run.alerts.astype(np.float64)))
        points = np.arange(m, run.alerts.max() + 1)
        ours = np.searchsorted(np.sort(run.alerts), points, side="right") / n
        found.append(distribution(name, nbinom.cdf(points - m, m, a), ours, n))
    return found
