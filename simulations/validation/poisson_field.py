"""Medics as a Poisson field of density rho, each accepting with probability a, all within r asked.

Those who accept are a Poisson field of density a rho. Nobody within r: P = exp(-a rho pi r^2). The k-th
nearest lies within x with the probability that a Poisson number of mean a rho pi x^2 is k or more; beyond r
nobody is asked, so up to there. Each call has a patch of the field to itself, so that calls are independent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import poisson

from dispatch.core import events as e
from dispatch.core.policy import Policy
from dispatch.records import Record
from dispatch.roster.roster import Roster
from simulations.behaviour import Plan
from simulations.planning.draws import Draws, Purpose
from simulations.planning.engine import Asked
from simulations.planning.records import Floats
from simulations.validation import power
from simulations.validation.check import Check, distribution, share
from simulations.validation.world import (
    METRE_DEG,
    SEED,
    STARTS_AT,
    WALKS_M_S,
    Report,
    Run,
    plan,
    policy,
    roster,
)

REACH_S = 600
R_M = REACH_S * WALKS_M_S
PATCH_M = 2.1 * R_M
"""The side of a call's own square."""
APART_MS = 60_000
ANSWER_S = 1.0


@dataclass(frozen=True, slots=True)
class Field:
    per_km2: float
    accepts: float
    nearest: int
    """So many of the nearest who accept are looked at; 0: only whether there is one."""

    def accepting(self, within_m: float | Floats) -> float | Floats:
        """The mean number who accept within so many metres."""
        return self.accepts * self.per_km2 * 1e-6 * math.pi * within_m**2


FIELDS = (Field(0.22, 0.3, 0), Field(0.6, 0.6, 2))


class Everybody(Run):
    """Everybody within reach is asked at once and answers a second later."""

    def __init__(self, roster: Roster, rules: Policy, accepts: float, draws: Draws, n: int) -> None:
        super().__init__(roster, rules)
        self._accepts, self._draws = accepts, draws
        self.distances_m: list[list[int]] = [[] for _ in range(n)]
        """Of those who accepted, by call."""

    def reported(self, number: int) -> None:
        self.close_after(number, round(2000 * ANSWER_S))

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        chances = self._draws.many(Purpose.ACCEPTS, number, [int(one.medic_id) for one in asked]).tolist()
        return [plan("accept" if chance < self._accepts else "decline", ANSWER_S) for chance in chances]

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        for event in events:
            if type(event) is e.AlertAnswered and event.answer == "accept":
                self.distances_m[number].append(record.asked[event.n - 1].distance_m)


def checks(*, put_in: float = 0.0, caught: float = power.BIAS) -> list[Check]:
    """``put_in``: P so much larger, or all distances so much longer."""
    found: list[Check] = []
    for case, field in enumerate(FIELDS):
        found += _nobody(case, field, put_in, caught) if not field.nearest else ()
        found += _nearest(case, field, put_in, caught) if field.nearest else ()
    return found


def _nobody(case: int, field: Field, put_in: float, caught: float) -> list[Check]:
    mean = float(field.accepting(R_M))
    p = math.exp(-mean)
    n = power.of_a_share(p, caught)
    distances_m = _played(case, field, field.accepts * (1 - math.log1p(put_in) / mean), n)
    name = f"nobody accepts within {R_M:.0f} m, {field.per_km2}/km2, share {field.accepts}"
    return [share(name, p, sum(not of for of in distances_m), n)]


def _nearest(case: int, field: Field, put_in: float, caught: float) -> list[Check]:
    """The sample is what the k-th nearest needs whose law the bias moves least."""
    upto: Floats = np.arange(1, math.floor(R_M), dtype=np.float64) + 0.5  # distances come in whole metres
    laws = [poisson.sf(k - 1, field.accepting(upto)) for k in range(1, 1 + field.nearest)]
    moved = [poisson.sf(k - 1, field.accepting(upto / (1 + caught))) for k in range(1, 1 + field.nearest)]
    n = max(
        power.of_a_distribution(float(np.max(law - other))) for law, other in zip(laws, moved, strict=True)
    )
    distances_m = _played(case, field, field.accepts / (1 + put_in) ** 2, n)
    found: list[Check] = []
    for k, law in enumerate(laws, start=1):
        kth = np.sort([sorted(of)[k - 1] if len(of) >= k else math.inf for of in distances_m])
        name = f"distance of accepting medic {k}, {field.per_km2}/km2, share {field.accepts}"
        found.append(distribution(name, law, np.searchsorted(kth, upto) / n, n))
    return found


def _played(case: int, field: Field, accepts: float, n: int) -> list[list[int]]:
    """By call, the distances of those who accept."""
    side = math.ceil(math.sqrt(n))
    rules = policy(waves=[(0, 1000)], wanted=100, reach_s=REACH_S, replace=False)
    run = Everybody(_medics(case, field, side), rules, accepts, Draws(SEED, case), n)
    step = PATCH_M * METRE_DEG
    run.play(
        Report(
            STARTS_AT + APART_MS * k, step * (k // side - side / 2 + 0.5), step * (k % side - side / 2 + 0.5)
        )
        for k in range(n)
    )
    return run.distances_m


def _medics(case: int, field: Field, side: int) -> Roster:
    """Evenly over a square about 0, 0: a degree of longitude is a little shorter off the equator."""
    half = math.radians(side / 2 * PATCH_M * METRE_DEG)
    chance = np.random.Generator(np.random.Philox(key=SEED, counter=case))
    area_km2 = (2 * half) * (2 * math.sin(half)) / math.radians(1000 * METRE_DEG) ** 2
    count = chance.poisson(field.per_km2 * area_km2)
    lat = np.degrees(np.arcsin(chance.uniform(-math.sin(half), math.sin(half), count)))
    return roster(lat, np.degrees(chance.uniform(-half, half, count)))
