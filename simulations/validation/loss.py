"""A world in which nobody waits: Poisson calls, and medics who are busy from being asked until finished.

Whoever is asked accepts and is there in the same moment; a call that finds nobody free is closed at once, as
is one whose medic has finished, so that the next call is all that she can be asked for.

Calls are correlated: one that finds everybody busy is likely to be followed by another. But whenever a call
finds nobody busy, the world begins anew, whatever the law of the time on scene. From one such call to the
next is a cycle; cycles are independent and alike, and a share is a ratio of two sums over them, whose
interval comes from the cycles, not the calls (the regenerative method: Crane and Iglehart, "Simulating Stable
Stochastic Systems I", Journal of the ACM 21, 1974). There is nothing to warm up.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dispatch.core import events as e
from dispatch.records import Record
from dispatch.roster.roster import Roster
from simulations.behaviour import Plan
from simulations.planning.draws import Draws, Purpose
from simulations.planning.engine import Asked
from simulations.validation.check import Check, Floats, ratio
from simulations.validation.world import STARTS_AT, Report, Run, plan, policy

ON_SCENE_S = 600.0
"""The mean."""
REACH_S = 7200


class NobodyWaits(Run):
    """``at``: when each call comes (ms); ``on_scene_s``: how long it takes whoever is asked for it."""

    def __init__(self, roster: Roster, at: NDArray[np.int64], on_scene_s: Floats) -> None:
        super().__init__(roster, policy(waves=[(0, 1)], wanted=1, reach_s=REACH_S))
        self._at, self._on_scene_s = at, on_scene_s.tolist()
        self._busy = 0
        self._begins_cycle = np.zeros(len(at), dtype=np.bool_)
        self._medic = np.full(len(at), -1)
        self._busy_ms = np.zeros(len(at))

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        for event in events:
            if type(event) is e.IncidentOpened:
                self._begins_cycle[number] = self._busy == 0
            elif type(event) is e.AlertRequested:
                self._busy += 1
                self._medic[number] = int(record.asked[event.n - 1].medic_id)
            elif type(event) is e.NobodyFound:
                self.close_after(number, 0)
            elif type(event) is e.AlertAnswered and event.answer == "finished":
                self._busy -= 1
                self._busy_ms[number] = at - self._at[number]
                self.close_after(number, 0)

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        return [plan("accept", 0.0, on_scene_s=self._on_scene_s[number]) for _ in asked]

    def lost(self, name: str, theirs: float) -> Check:
        """The share of calls for which nobody was asked."""
        return self._ratio(name, theirs, (self._medic < 0).astype(np.float64), np.ones(self.count))

    def busy(self, name: str, theirs: float, medic: int) -> Check:
        """The share of time that a medic is busy."""
        hers = np.where(self._medic == medic, self._busy_ms, 0.0)
        return self._ratio(name, theirs, hers, np.diff(self._at, append=self._at[-1]).astype(np.float64))

    def _ratio(self, name: str, theirs: float, parts: Floats, wholes: Floats) -> Check:
        """Of sums over whole cycles: what came after the last beginning is of none."""
        begins = np.flatnonzero(self._begins_cycle)
        parts, wholes = (np.add.reduceat(by_call, begins)[:-1] for by_call in (parts, wholes))
        return ratio(name, theirs, parts, wholes, incidents=int(begins[-1]))


def played(
    roster: Roster, load: float, on_scene_s: Floats, draws: Draws, *, lat: Floats | None = None
) -> NobodyWaits:
    """``load``: calls in `ON_SCENE_S`, whatever ``on_scene_s`` is. ``lat``: where each is, else all at 0."""
    n = len(on_scene_s)
    gaps = -np.log(draws.many(Purpose.TIME, np.arange(n)))
    at = STARTS_AT + np.rint(1000 * ON_SCENE_S / load * np.cumsum(gaps)).astype(np.int64)
    run = NobodyWaits(roster, at, on_scene_s)
    places = np.zeros(n) if lat is None else lat
    run.play(Report(*call, 0.0) for call in zip(at.tolist(), places.tolist(), strict=True))
    return run


def exponential_s(draws: Draws, n: int) -> Floats:
    """Times on scene of that law."""
    times: Floats = -ON_SCENE_S * np.log(draws.many(Purpose.ON_SCENE, np.arange(n)))
    return times
