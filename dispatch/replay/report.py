"""A replay as it is printed: lines for people, or one JSON object. Who was asked stays behind her number."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Incident
from dispatch.replay.again import Difference, Replayed
from dispatch.replay.words import words
from dispatch.store.history import History
from dispatch.times import rfc3339

SHOWN_MAX = 12
"""Candidates told of one search; the JSON has all."""
VERDICTS = {
    "same": "today's code decides the same",
    "different": "today's code decides otherwise",
    "not_checkable": "not checkable",
}


class Report:
    """``who``: medic ids are shown too."""

    def __init__(self, history: History, replayed: list[Replayed], last: Incident, *, who: bool) -> None:
        self._history, self._replayed, self._last = history, replayed, last
        self._who = who
        self._n_of: dict[str, int] = {}
        for n, medic_id in history.asked.items():
            self._n_of.setdefault(medic_id, n)

    def as_json(self) -> dict[str, Any]:
        return {
            "incident_id": self._history.incident_id,
            "control_room": self._history.control_room,
            "reference": self._last.reference,
            "kind": self._last.kind,
            "state": self._last.state,
            "opened_at": rfc3339(self._last.opened_at),
            "checked": {verdict: self._count()[verdict] for verdict in VERDICTS},
            "decisions": [self._decision(one) for one in self._replayed],
        }

    def lines(self) -> Iterator[str]:
        state = self._last
        yield (
            f"{self._history.incident_id}  {state.reference}  {state.kind}  {state.state}  "
            f"of {self._history.control_room}, opened {rfc3339(state.opened_at)}"
        )
        for one in self._replayed:
            yield ""
            yield self._head(one)
            for command in one.inputs:
                yield from self._knew(command)
            if one.decided.inputs == b"":
                yield "    knew: deleted"
            yield from (f"    {_who(event)}: {words(event)}" for event in one.decided.events)
            if one.difference is not None:
                yield f"    ! {self._differs(one.difference)}"
        yield ""
        counts = self._count()
        yield ", ".join(f"{counts[verdict]} {verdict.replace('_', ' ')}" for verdict in VERDICTS)

    def _count(self) -> Counter[str]:
        return Counter(one.verdict for one in self._replayed)

    def _head(self, one: Replayed) -> str:
        events = one.decided.events
        first, last = one.decided.seq, one.decided.seq + len(events) - 1
        which = f"event {first}" if first == last else f"events {first} to {last}"
        why = f": {one.why}" if one.why else ""
        return f"{self._since(events[0])}  {which}; {VERDICTS[one.verdict]}{why}"

    def _since(self, event: e.Event) -> str:
        ms = event.at - self._last.opened_at
        return f"+{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"

    def _knew(self, command: c.Command) -> Iterator[str]:
        found = command.candidates or ()
        yield f"    knew, for {_name(command)}: {len(found)} who might be asked"
        for candidate in found[:SHOWN_MAX]:
            n = self._n_of.get(candidate.medic_id)
            whom = "not asked" if n is None else f"alert {n}"
            whose = f"  {candidate.medic_id}" if self._who else ""
            reached = ", ".join(candidate.channels)
            yield f"      {candidate.eta_s:5} s {candidate.distance_m:6} m  {whom:10} {reached}{whose}"
        if len(found) > SHOWN_MAX:
            yield f"      and {len(found) - SHOWN_MAX} more"

    def _differs(self, difference: Difference) -> str:
        then = "nothing more" if difference.recorded is None else words(difference.recorded)
        now = "nothing" if difference.today is None else words(difference.today)
        if difference.looks_for:
            now = f"a look for {difference.looks_for} medics"
        return f"event {difference.seq}: then {then}; today {now}"

    def _decision(self, one: Replayed) -> dict[str, Any]:
        events = one.decided.events
        difference = one.difference
        return {
            "seq": one.decided.seq,
            "at": rfc3339(events[0].at),
            "since_opened_ms": events[0].at - self._last.opened_at,
            "check": one.verdict,
            "why": one.why or None,
            "first_difference": difference
            and {
                "seq": difference.seq,
                "then": difference.recorded and msgspec.to_builtins(difference.recorded),
                "today": difference.today and msgspec.to_builtins(difference.today),
                "today_looks_for": difference.looks_for or None,
            },
            "knew": None if one.decided.inputs == b"" else [self._input(command) for command in one.inputs],
            "events": [
                {"seq": one.decided.seq + i, "words": words(event), **msgspec.to_builtins(event)}
                for i, event in enumerate(events)
            ],
        }

    def _input(self, command: c.Command) -> dict[str, Any]:
        return {
            "command": type(command).__name__,
            "candidates": [self._candidate(one) for one in command.candidates or ()],
        }

    def _candidate(self, one: c.Candidate) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "n": self._n_of.get(one.medic_id),
            "eta_s": one.eta_s,
            "distance_m": one.distance_m,
            "channels": list(one.channels),
            "first": one.first,
        }
        return {**shown, "medic_id": one.medic_id} if self._who else shown


def _who(event: e.Event) -> str:
    return f"{event.by} {event.key}" if event.key else event.by


def _name(command: c.Command) -> str:
    """``GiveAnswer`` as ``give answer``."""
    name = type(command).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
