"""Deciding orders against the roster: which incidents change, by which events, and who is asked.

Nothing here waits. A decision can touch other incidents: whoever is asked is taken from a less urgent alert,
and an accept or arrival ends whatever else she has; those incidents are decided here too, and all of it is
one append. Whoever is chosen is marked taken in the roster at once, until the plan is kept or dropped.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import Decision, decide, go_on
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live, Order, Situation
from dispatch.records import PLACE_DELETED, Asked, Details, Record
from dispatch.roster.roster import Roster
from dispatch.store.appends import Append, Stream


class NotLocked(Exception):
    """The plan touches incidents that the caller does not hold: to be planned anew with them."""

    def __init__(self, incident_ids: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(incident_ids)))
        self.incident_ids = incident_ids


class Part:
    """What the plan does to one incident."""

    __slots__ = (
        "asked",
        "details",
        "details_changed",
        "due_at",
        "events",
        "inputs",
        "live",
        "policy",
        "quiet_until",
        "state",
    )

    def __init__(self, live: Live) -> None:
        self.live = live
        before = live.record
        self.state: Incident | None = before.state if before else None
        self.details: Details | None = before.details if before else None
        self.policy: Policy | None = before.policy if before else None
        self.due_at: int | None = before.due_at if before else None
        self.quiet_until = live.quiet_until
        self.asked: list[Asked] = []
        self.events: list[e.AnyEvent] = []
        self.inputs: list[c.Command] = []
        self.details_changed = False

    def medic_of(self, n: int) -> str | None:
        for asked in self.asked:
            if asked.n == n:
                return asked.medic_id
        return self.live.medic_of(n)

    def firsts(self) -> Mapping[str, int]:
        if not self.asked:
            return self.live.firsts
        firsts = dict(self.live.firsts)
        for asked in self.asked:
            firsts.setdefault(asked.medic_id, asked.n)
        return firsts

    def record(self, feed_pos: int, node: str | None) -> Record:
        """The incident after ``node`` has committed the plan."""
        assert self.state is not None
        assert self.policy is not None
        old = self.live.record.asked if self.live.record else ()
        return Record(
            id=self.live.id,
            control_room_id=self.live.room_id,
            state=self.state,
            details=self.details,
            policy=self.policy,
            asked=(*old, *self.asked) if self.asked else old,
            feed_pos=feed_pos,
            due_at=self.due_at,
            node=node,
        )

    def stream(self) -> Stream:
        assert self.state is not None
        return Stream(
            incident_id=self.live.id,
            control_room_id=self.live.room_id,
            events=tuple(self.events),
            state=self.state,
            due_at=self.due_at,
            asked=tuple(self.asked),
            details=self.details if self.details_changed else None,
            inputs=_encode([input_of(command) for command in self.inputs]) if self.inputs else None,
        )


_encode = msgspec.json.Encoder().encode


class Plan:
    """``refused`` has the orders that were not taken, with why; the others were."""

    __slots__ = ("parts", "refused", "taken")

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.refused: dict[Order, Exception] = {}
        self.taken: list[str] = []

    def append(self, orders: Iterable[Order]) -> Append:
        """What is to be committed; nothing, where nothing changed and no key is to be remembered."""
        remember = next(
            (o.remember for o in orders if o.remember is not None and o not in self.refused), None
        )
        streams = tuple(part.stream() for part in self.parts.values() if part.events)
        return Append(streams=streams, remember=remember)


class Planner:
    def __init__(self, roster: Roster, digit_pairs: DigitPairs) -> None:
        self._roster = roster
        self._digit_pairs = digit_pairs

    def plan(self, locked: Mapping[str, Live], live: Live, orders: Iterable[Order], at: int) -> Plan:
        """Decides ``orders`` of ``live`` one after the other. Raises NotLocked, having taken nobody."""
        plan = Plan()
        try:
            for order in orders:
                try:
                    self._decide(plan, locked, live, order, at)
                except (c.Refused, LookupError, ValueError) as refusal:
                    plan.refused[order] = refusal
        except BaseException:
            self._roster.give_back(plan.taken)
            raise
        return plan

    def _decide(self, plan: Plan, locked: Mapping[str, Live], live: Live, order: Order, at: int) -> None:
        part = plan.parts.get(live.id) or Part(live)
        details = order.details(part.details) if order.details else part.details
        policy = order.policy or part.policy
        command = order.make(Situation(live, part.state, part.details, details, policy, at))
        elsewhere = self._held_elsewhere(part, command)
        decision, command = self._with_candidates(part, details, command)
        leaving = [*elsewhere, *self._taken_from(live, decision)] if elsewhere or decision.asked else ()
        if leaving and (missing := frozenset(held_id for held_id, _ in leaving) - locked.keys()):
            raise NotLocked(missing)
        if order.details is not None and decision.events:
            part.details, part.details_changed = details, True
        self._keep(plan, part, order, decision, command)
        for held_id, n in leaving:
            if (held_id, n) not in elsewhere or _came(decision):
                self._leave(plan, locked, held_id, n, at)

    def _with_candidates(
        self, part: Part, details: Details | None, command: c.Command
    ) -> tuple[Decision, c.Command]:
        """A decision that looks for nobody stands; else the roster is asked, and the command decided anew."""
        decision = decide(part.state, command, quiet_until=part.quiet_until)
        if decision.search is None:
            return decision, command
        if details is None:
            raise LookupError(PLACE_DELETED)
        found = self._find(part, details, decision.search, max(command.at, decision.state.at))
        command = replace(command, candidates=found)
        return go_on(decision, part.state, command), command

    def _find(self, part: Part, details: Details, search: c.Search, at: int) -> tuple[c.Candidate, ...]:
        return self._roster.search(
            search,
            lat=details.position.lat,
            lon=details.position.lon,
            at=at,
            incident_id=part.live.id,
            firsts=part.firsts(),
        )

    def _keep(self, plan: Plan, part: Part, order: Order, decision: Decision, command: c.Command) -> None:
        plan.parts[part.live.id] = part
        part.state = decision.state
        part.due_at, part.quiet_until = decision.due_at, decision.quiet_until
        part.events += decision.events
        if order.policy is not None:
            part.policy = order.policy
        if command.candidates is not None:
            part.inputs.append(command)
        if decision.asked:
            part.asked += [self._asked(n, candidate) for n, candidate in decision.asked]
            medic_ids = [candidate.medic_id for _, candidate in decision.asked]
            plan.taken += medic_ids
            self._roster.take(medic_ids)

    def _asked(self, n: int, candidate: c.Candidate) -> Asked:
        pair = self._digit_pairs.next(candidate.medic_id)
        return Asked(n, candidate.medic_id, candidate.distance_m, pair)

    def _held_elsewhere(self, part: Part, command: c.Command) -> tuple[tuple[str, int], ...]:
        """What else a medic has who accepts or arrives here. A drill takes nobody from a real incident."""
        if not isinstance(command, c.GiveAnswer) or command.answer not in ("accept", "arrived"):
            return ()
        medic_id = part.medic_of(command.n)
        drill = part.state is not None and part.state.drill
        return tuple(
            (held.incident_id, held.n)
            for held in (self._roster.held(medic_id) if medic_id else ())
            if held.incident_id != part.live.id and (held.drill or not drill)
        )

    def _taken_from(self, live: Live, decision: Decision) -> Iterable[tuple[str, int]]:
        """The unanswered alerts elsewhere of those who are asked here.

        They are of less urgent incidents, or the roster would not have offered her.
        """
        for _, candidate in decision.asked:
            for held in self._roster.held(candidate.medic_id):
                if held.incident_id != live.id and not held.engaged:
                    yield held.incident_id, held.n

    def _leave(self, plan: Plan, locked: Mapping[str, Live], incident_id: str, n: int, at: int) -> None:
        order = Order(lambda now: c.Leave(at=now.at, policy=now.rules, n=n, why="engaged"))
        self._decide(plan, locked, locked[incident_id], order, at)


def _came(decision: Decision) -> bool:
    return any(
        isinstance(event, e.AlertAnswered) and event.answer in ("accept", "arrived")
        for event in decision.events
    )


def input_of(command: c.Command) -> dict[str, Any]:
    """A command with its candidates as kept beside the events; the policy is known by its hash there."""
    fields = {name: getattr(command, name) for name in command.__struct_fields__ if name != "policy"}
    return {"command": type(command).__name__, **fields}
