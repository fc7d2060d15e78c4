"""An incident's decisions again: what was known at each, and whether today's code decides the same. Pure.

What a decision wrote is one row, of one command or of several that were decided together. Its commands are
those kept with their candidates, in their order, and others between them that the events tell (see
``core.retrace``). Today's code decides the same when some such commands, decided one after the other on the
state before, give exactly the row's events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import decide
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy
from dispatch.core.retrace import commands_behind, opening
from dispatch.records import Decided

Verdict: TypeAlias = Literal["same", "different", "not_checkable"]

FORGOTTEN = "what it knew has been deleted"


class Difference(msgspec.Struct, frozen=True):
    """The first event that differs. None: there is none; ``looks_for``: today it would look for medics."""

    seq: int
    recorded: e.AnyEvent | None
    today: e.AnyEvent | None
    looks_for: int = 0


class Replayed(msgspec.Struct, frozen=True):
    """One decision. ``why`` says what it could not be checked for."""

    decided: Decided
    before: Incident | None
    inputs: tuple[c.Command, ...]
    verdict: Verdict
    difference: Difference | None = None
    why: str = ""


def replay(decisions: Sequence[Decided], policies: Mapping[str, Policy]) -> Iterator[Replayed]:
    """Each decision on the state that the ones before it left; ``policies`` by hash."""
    state: Incident | None = None
    for decided in decisions:
        yield _check(state, decided, policies)
        state = evolve_all(state, decided.events)


def _check(state: Incident | None, decided: Decided, policies: Mapping[str, Policy]) -> Replayed:
    inputs: tuple[c.Command, ...] = ()
    try:
        inputs = _kept(decided, _policy_in(policies, _policy_at(state, decided.events)))
        trace = _Trace(decided, inputs, policies)
        if trace.explains(state, 0, 0):
            return Replayed(decided, state, inputs, "same")
    except LookupError as gone:
        return Replayed(decided, state, inputs, "not_checkable", why=str(gone.args[0]))
    if decided.inputs == b"":
        return Replayed(decided, state, inputs, "not_checkable", why=FORGOTTEN)
    return Replayed(decided, state, inputs, "different", trace.difference())


def _policy_at(state: Incident | None, events: Sequence[e.AnyEvent]) -> str:
    """The hash of the policy that the next decision begins with."""
    if state is not None:
        return state.policy
    return next((event.policy for event in events if isinstance(event, e.IncidentOpened)), "none")


def _policy_in(policies: Mapping[str, Policy], digest: str) -> Policy:
    if digest not in policies:
        raise LookupError(f"policy {digest} is not kept")
    return policies[digest]


def _kept(decided: Decided, policy: Policy) -> tuple[c.Command, ...]:
    """The row's commands that were kept with their candidates; under which policy, the state will tell."""
    rules = msgspec.to_builtins(policy)
    kept = msgspec.json.decode(decided.inputs or b"[]")
    return tuple(msgspec.convert({**one, "policy": rules}, c.AnyCommand) for one in kept)


class _Trace:
    """Looks for commands that give a row's events. Each place in the row is looked at once."""

    def __init__(
        self, decided: Decided, inputs: tuple[c.Command, ...], policies: Mapping[str, Policy]
    ) -> None:
        self._decided, self._events = decided, decided.events
        self._inputs = inputs
        self._policies = policies
        self._dead: set[tuple[int, int]] = set()
        self._furthest = -1
        self._today: e.AnyEvent | None = None
        self._looks_for = 0

    def explains(self, state: Incident | None, i: int, j: int) -> bool:
        """Whether commands from the ``j``-th kept one on give the events from the ``i``-th on."""
        if i == len(self._events) and j == len(self._inputs):
            return True
        if (i, j) in self._dead:
            return False
        for command, kept in self._commands(state, i, j):
            found = self._decide(state, command, i, kept)
            if found is not None and self.explains(found[1], i + found[0], j + kept):
                return True
        self._dead.add((i, j))
        return False

    def difference(self) -> Difference:
        """Where the trace that came furthest left the row."""
        at = max(self._furthest, 0)
        recorded = self._events[at] if at < len(self._events) else None
        return Difference(self._decided.seq + at, recorded, self._today, self._looks_for)

    def _commands(self, state: Incident | None, i: int, j: int) -> Iterator[tuple[c.Command, bool]]:
        rest = self._events[i:]
        if j < len(self._inputs):
            yield self._under_its_policy(self._inputs[j], state, rest), True
        if state is not None and rest:
            for command in commands_behind(state, rest, self._policy):
                yield command, False
        elif rest and isinstance(rest[0], e.IncidentOpened):
            yield opening(rest[0], rest[1:], self._policy), False

    def _under_its_policy(
        self, command: c.Command, state: Incident | None, rest: Sequence[e.AnyEvent]
    ) -> c.Command:
        """The incident's own; a changed kind takes the one that the event of the change names."""
        digest = _policy_at(state, rest)
        if isinstance(command, c.Update) and command.kind is not None:
            updates = (event for event in rest if isinstance(event, e.IncidentUpdated))
            digest = next((event.policy for event in updates if event.policy), digest)
        return replace(command, policy=self._policy(digest))

    def _policy(self, digest: str) -> Policy:
        return _policy_in(self._policies, digest)

    def _decide(
        self, state: Incident | None, command: c.Command, i: int, kept: bool
    ) -> tuple[int, Incident] | None:
        """How many of the events from ``i`` on it gives, and the state then; None where it gives others."""
        try:
            decision = decide(state, command)
        except (c.Refused, LookupError, ValueError):
            self._note(i, (), None)
            return None
        same = 0
        for today, recorded in zip(decision.events, self._events[i:], strict=False):
            if today != recorded:
                break
            same += 1
        if decision.search is not None or same < len(decision.events) or not (same or kept):
            self._note(i + same, decision.events[same:], decision.search)
            return None
        return same, decision.state

    def _note(self, at: int, today: Sequence[e.AnyEvent], search: c.Search | None) -> None:
        if at > self._furthest:
            self._furthest = at
            self._today = today[0] if today else None
            self._looks_for = search.count if search is not None and not today else 0
