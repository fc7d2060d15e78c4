"""Seven alerts, each decline replaced, beside alerts by the clock, with thirty medics within 1 km.

Van den Berg, Henderson, Li, Dicker and Jagtenberg, PLOS ONE 2026, 10.1371/journal.pone.0343762: survival,
coverage, alerts and redundant arrivals are all better. Theirs are 29,307 alerts that are not public, a speed
fitted on them and the schedule of New Zealand; here stand another file's answers, one speed, and schedules
of our own. So it is the ranking that is compared, and no figure.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.policy import Policy, override
from dispatch.records import Record
from dispatch.roster.roster import Roster
from simulations.behaviour import Answer, Plan
from simulations.planning import survival
from simulations.planning.draws import Draws, Purpose
from simulations.planning.engine import Asked
from simulations.planning.records import Floats
from simulations.planning.world import ambulance_there
from simulations.validation import data
from simulations.validation.line import Line, Ranking, Skipped, difference
from simulations.validation.world import KIND, METRE_DEG, SEED, STARTS_AT, Report, Run, roster

NAME = "van den Berg 2026"
INCIDENTS = 1000
WITHIN_1_KM = 30
PATCH_M = 3000
"""A call's own square: nobody of the next one is within reach."""
SPEED_M_S = 2.3
"""Jonsson et al., Resuscitation 2020. There the delay of the answer is inside, here it is before."""
ALERT_S = 240
"""From the collapse to the alert: the planners' defaults."""
AMBULANCE_S = round(60 * survival.PAPER_AMBULANCE_MIN) - ALERT_S
"""From the alert: after it nobody comes any more."""
COVERED_S = 360
"""Covered: a medic at the patient so soon after the alert. What the paper takes we have not seen."""
APART_MS = 3_600_000
ON_SCENE_S = 900.0

BY_CLOCK = {
    "three_then_one_every_15_s": True,
    "five_every_60_s": True,
    "three_then_one_every_30_s": False,
    "ten_every_60_s": False,
}
"""The first two are to be worse in all. What the slowest and the most eager do is noted."""
SETTINGS = {"seven_replaced": "silence stays", "seven_replaced_after_60_s": "silence of 60 s declines"}


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A row an incident."""

    survival: Floats
    covered: Floats
    alerts: Floats
    redundant: Floats
    """Arrivals after the first."""


class Volunteers(Run):
    """An alert is answered as one of the file's rows, drawn by incident and medic."""

    def __init__(self, place: "Place", rules: Policy, responses: Floats, accept: int) -> None:
        super().__init__(place.roster, rules)
        self._rows: list[tuple[float, float]] = list(map(tuple, responses.tolist()))
        self._accept, self._draws = accept, Draws(SEED, 0)
        n = len(place.lat)
        self._opened_at = np.zeros(n, dtype=np.int64)
        self.alerts, self.arrivals = np.zeros(n), np.zeros(n)
        self.first_s = np.full(n, np.inf)

    def reported(self, number: int) -> None:
        there_at = self.engine.now + 1000 * AMBULANCE_S
        self._opened_at[number] = self.engine.now
        self.engine.at(there_at, self.engine.change, str(number), ambulance_there(there_at))
        self.close_after(number, 2 * 1000 * AMBULANCE_S)

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        which = self._draws.many(Purpose.ACCEPTS, number, [int(one.medic_id) for one in asked])
        rows = (which * len(self._rows)).astype(np.int64).tolist()
        return [self._plan(one, *self._rows[row]) for one, row in zip(asked, rows, strict=True)]

    def _plan(self, asked: Asked, response: float, delay_s: float) -> Plan:
        if not response:
            return Plan(None, None, None, None, 0.0, 0.0, ON_SCENE_S)
        answer: Answer = "accept" if response == self._accept else "decline"
        factor = asked.distance_m / SPEED_M_S / asked.usual_s
        return Plan(None, answer, delay_s, "arrives" if answer == "accept" else None, factor, 0.0, ON_SCENE_S)

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        self.alerts[number] += sum(type(event) is e.AlertRequested for event in events)

    def arrived(self, number: int, at: int, medic_id: str) -> None:
        self.arrivals[number] += 1
        self.first_s[number] = min(self.first_s[number], (at - self._opened_at[number]) / 1000)

    def seen(self) -> Seen:
        return Seen(
            survival.van_den_berg((ALERT_S + self.first_s) / 60),
            (self.first_s <= COVERED_S).astype(np.float64),
            self.alerts,
            np.maximum(0.0, self.arrivals - 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Patients, a row each in degrees, and the medics about each, evenly over a circle of 1 km."""

    lat: Floats
    lon: Floats
    roster: Roster

    def play(self, rules: Policy, responses: Floats, accept: int) -> Seen:
        run = Volunteers(self, rules, responses, accept)
        run.play(
            Report(STARTS_AT + APART_MS * k, float(lat), float(lon))
            for k, (lat, lon) in enumerate(zip(self.lat, self.lon, strict=True))
        )
        return run.seen()


def place_of(n: int) -> Place:
    side = math.ceil(math.sqrt(n))
    rows, columns = np.divmod(np.arange(n), side)
    lat = PATCH_M * METRE_DEG * (rows - side / 2 + 0.5)
    lon = PATCH_M * METRE_DEG * (columns - side / 2 + 0.5)
    chance = np.random.Generator(np.random.Philox(key=SEED))
    away = 1000.0 * METRE_DEG * np.sqrt(chance.random((n, WITHIN_1_KM)))
    turned = 2 * math.pi * chance.random((n, WITHIN_1_KM))
    north = lat[:, None] + away * np.sin(turned)
    east = lon[:, None] + away * np.cos(turned) / np.cos(np.radians(lat))[:, None]
    return Place(lat, lon, roster(north.ravel(), east.ravel()))


@functools.cache
def policy_of(name: str) -> Policy:
    path = Path(__file__).parent / "policies" / f"{name}.toml"
    return override(path.read_text("utf-8"), file=str(path))[KIND]


def ranking(name: str, ours: Seen, other: Seen, *, judged: bool = True) -> Ranking:
    return Ranking(
        name,
        (
            difference("survival", ours.survival, other.survival, more_is_better=True),
            difference("covered", ours.covered, other.covered, more_is_better=True),
            difference("alerts", ours.alerts, other.alerts, more_is_better=False),
            difference("redundant", ours.redundant, other.redundant, more_is_better=False),
        ),
        judged,
    )


def rankings(
    responses: Floats,
    n: int,
    *,
    accept: int,
    stops: bool = False,
    by_clock: Sequence[str] = tuple(BY_CLOCK),
) -> list[Ranking]:
    """``accept``: the answer that is taken for it. ``stops``: nobody beyond the first to accept is wanted.

    Without it all are, and what the paper says is to be found; with it, what is found is noted.
    """
    place = place_of(n)

    def play(name: str) -> Seen:
        rules = policy_of(name)
        return place.play(replace(rules, wanted=1) if stops else rules, responses, accept)

    others = {name: play(name) for name in by_clock}
    found = []
    for name, silence in SETTINGS.items():
        ours = play(name)
        for other in by_clock:
            words = f"{NAME}, answer {accept} accepts, {silence}, beside {other.replace('_', ' ')}"
            words += ", stopped by the first to accept" if stops else ""
            found.append(ranking(words, ours, others[other], judged=BY_CLOCK[other] and not stops))
    return found


def checks(*, accept: int, n: int = INCIDENTS) -> Sequence[Line]:
    try:
        responses = data.responses()
    except data.Absent as absent:
        return [Skipped(f"{NAME}, answer {accept} accepts", str(absent))]
    stopped = [name for name, judged in BY_CLOCK.items() if judged]
    return [
        *rankings(responses, n, accept=accept),
        *rankings(responses, n, accept=accept, stops=True, by_clock=stopped),
    ]
