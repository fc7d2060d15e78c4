"""Random lives of incidents as the core decides them, cut into the appends that each decision makes."""

from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.decide import Decision
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy
from dispatch.records import Asked
from dispatch.store.appends import Append, Stream
from tests.core.random_life import Life
from tests.core.world import Night
from tests.store import made

SEEDS = range(12)
DECISIONS_MAX = 60


class Recorded:
    """Watches a life, and keeps each decision as an append."""

    def __init__(self, seed: int) -> None:
        self.id = f"life-{seed}"
        self.room = (made.ROOM, made.OTHER_ROOM)[seed % 2]
        self.appends: list[Append] = []
        self.policies: list[Policy] = []
        self._state: Incident | None = None
        life = Life(seed)
        self._invariants = life.night.watch
        life.night.watch = self._watch
        self._people = seed % 3
        life.run()

    def _watch(self, night: Night, before: Incident | None, decision: Decision) -> None:
        assert self._invariants is not None
        self._invariants(night, before, decision)
        if night.policy not in self.policies:
            self.policies.append(night.policy)
        if decision.events:
            self._keep(decision)

    def _keep(self, decision: Decision) -> None:
        events: tuple[Any, ...] = decision.events
        if isinstance(events[0], e.IncidentOpened):
            events = (replace(events[0], reference=self.id), *events[1:])
        self._state = evolve_all(self._state, events)
        asked = tuple(
            Asked(n, f"{self._people}-{candidate.medic_id}", candidate.distance_m, n % 4)
            for n, candidate in decision.asked
        )
        details = made.DETAILS if self._state.seq == len(events) else None
        stream = Stream(self.id, self.room, events, self._state, decision.due_at, asked, details, b"{}")
        self.appends.append(Append((stream,)))


_RECORDED = [Recorded(seed) for seed in SEEDS]
LIVES = [one.appends[:DECISIONS_MAX] for one in _RECORDED]
POLICIES = [policy for one in _RECORDED for policy in one.policies]
