"""Lives by chance written down as the service writes them: rows of some decisions, with what they knew."""

import random
from collections.abc import Callable
from typing import Any

import msgspec

from dispatch.core import commands as c
from dispatch.core.decide import Decision
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy, digest
from dispatch.deciding.plan import input_of
from dispatch.records import Decided
from tests.core.random_life import Life
from tests.core.world import Night


class Recorder:
    """Watches a night. Decisions of one moment are at times one row, as orders that waited together are."""

    def __init__(self, night: Night, seed: int) -> None:
        self.policies: dict[str, Policy] = {}
        self.rows: list[Decided] = []
        self._random = random.Random(seed)
        self._at = -1
        self._command: c.Command | None = None
        self._plain: Callable[..., Decision] = night.decide
        night.decide = self._decide  # type: ignore[method-assign]
        watch, night.watch = night.watch, self._watch
        self._then = watch

    def _decide(self, before: Incident | None, command: c.Command) -> Decision:
        decision = self._plain(before, command)
        if decision.search is None:
            self._command = command
        return decision

    def _watch(self, night: Night, before: Incident | None, decision: Decision) -> None:
        assert self._command is not None
        command = self._command
        self.policies[digest(command.policy)] = command.policy
        inputs = [input_of(command)] if command.candidates is not None else []
        if decision.events:
            self._write(decision, inputs)
        if self._then is not None:
            self._then(night, before, decision)

    def _write(self, decision: Decision, inputs: list[dict[str, Any]]) -> None:
        last = self.rows[-1] if self.rows else None
        if last is not None and last.events[0].at == decision.events[0].at and self._random.random() < 0.7:
            inputs = msgspec.json.decode(last.inputs or b"[]") + msgspec.to_builtins(inputs)
            self.rows[-1] = Decided(last.seq, last.events + decision.events, _kept(inputs))
            return
        seq = last.seq + len(last.events) if last is not None else 1
        self.rows.append(Decided(seq, decision.events, _kept(inputs)))


def _kept(inputs: list[Any]) -> bytes | None:
    return msgspec.json.encode(inputs) if inputs else None


def recorded(seed: int) -> Recorder:
    """A life lived to its end."""
    life = Life(seed)
    recorder = Recorder(life.night, seed)
    life.run()
    return recorder
