"""``decide(state, command)``: what an incident does about a command. Pure: no I/O, no clock, no chance.

A decision does, once each and in this order: what its time has made due, the command itself, covered or
uncovered, the shortfall, nobody found, rungs. A command that is not taken raises ``Refused`` (or
``LookupError`` for an alert or notification that is not there), and nothing has changed.

Where medics are to be asked, the decision says whom it looks for (``search``); the caller asks the roster
and decides the same command again with the candidates found. A decision whose ``search`` is not None is a
question, not yet an answer: its events are not to be kept. ``go_on`` decides it from where it was asked.
"""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from dispatch.core import answers, control
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.evolve import opened
from dispatch.core.incident import Alert, Incident, best_expected_at, copy_of, on_the_way, wanted
from dispatch.core.ladder import climb, socket_appeared
from dispatch.core.policy import digest
from dispatch.core.receipts import may_wait_for, receipt_of
from dispatch.core.stand_down import hold, judge
from dispatch.core.timers import do_due, due_at
from dispatch.core.waves import ask, nobody_found


class Decision(msgspec.Struct, frozen=True):
    """``asked``: the candidate behind each new alert's number. ``due_at``: when the next tick is owed.

    ``short``: alerts are due, and nobody to be found for them, or nobody yet. ``draft``: what a question had
    come to when it was asked; None where the command itself depends on the answer.
    """

    events: tuple[e.AnyEvent, ...]
    state: Incident
    due_at: int | None
    search: c.Search | None
    asked: tuple[tuple[int, c.Candidate], ...]
    short: bool = False
    draft: Draft | None = None

    @property
    def quiet_until(self) -> float:
        """Before then (ms) time alone makes nothing due, and nobody is missing."""
        if self.short:
            return NOTHING_KNOWN
        return math.inf if self.due_at is None else self.due_at


NOTHING_KNOWN = -math.inf


def decide(state: Incident | None, command: c.Command, *, quiet_until: float = NOTHING_KNOWN) -> Decision:
    """Raises Refused, LookupError; ValueError for a command before Open, or a second Open.

    ``quiet_until``: that of the decision that led to ``state``; the same is decided, only sooner.
    """
    if state is None:
        draft = _open(command)
    elif isinstance(command, c.Open):
        raise ValueError("an incident opens once")
    else:
        draft = Draft(copy_of(state), command)
        do_due(draft, quiet_until)
        _COMMANDS[type(command)](draft, command)
        if (alert := receipt_of(draft, state, quiet_until)) is not None:
            return _cut_short(draft, state, alert, quiet_until)
        _cover(draft, state)
    return _finish(draft, state)


def go_on(question: Decision, state: Incident | None, command: c.Command) -> Decision:
    """What ``decide(state, command)`` gives, where ``question`` is what it gave without the candidates."""
    if question.draft is None:
        return decide(state, command)
    return _finish(question.draft.copy_for(command), state)


def _finish(draft: Draft, before: Incident | None) -> Decision:
    """The shortfall, nobody found, rungs: what every decision ends with."""
    if draft.state.live:
        depends = draft.search is not None
        ask(draft)
        if draft.search is not None:
            asking = None if depends else draft
            return Decision(tuple(draft.events), draft.state, None, draft.search, (), draft=asking)
        nobody_found(draft)
    climb(draft, draft.state.alerts)
    now = draft.state if draft.events or before is None else before
    return Decision(tuple(draft.events), now, due_at(draft), None, tuple(draft.asked), draft.short)


def _cut_short(draft: Draft, before: Incident, alert: Alert, quiet_until: float) -> Decision:
    """What a receipt's decision ends with: `receipts` says why there is no more."""
    climb(draft, (alert,))
    rung_at = math.inf if draft.rung_at is None else draft.rung_at
    if rung_at > quiet_until and may_wait_for(alert, quiet_until, draft.policy):
        climb(draft, draft.state.alerts)
        due = due_at(draft)
    else:
        due_ms = min(quiet_until, rung_at)
        due = None if due_ms == math.inf else int(due_ms)
    now = draft.state if draft.events else before
    return Decision(tuple(draft.events), now, due, None, ())


def _open(command: c.Command) -> Draft:
    if not isinstance(command, c.Open):
        raise ValueError(f"{type(command).__name__} before Open")
    first = e.IncidentOpened(
        at=command.at,
        by=command.by,
        key=command.key,
        reference=command.reference,
        kind=command.kind,
        priority=command.priority,
        setting=command.setting,
        drill=command.drill,
        hazard=command.hazard,
        policy=digest(command.policy),
        called_at=command.called_at,
        ambulance_due_at=command.ambulance_due_at,
    )
    draft = Draft(opened(first), command)
    draft.events.append(first)
    hold(draft, add=control.holds_at_opening(command))
    return draft


def _cover(draft: Draft, before: Incident) -> None:
    """Covered or uncovered, and who could no longer beat the best of those on the way."""
    if not draft.state.live or not draft.events:
        return
    coming = len(on_the_way(draft.state))
    enough = coming >= wanted(draft.state, draft.policy)
    if enough and not draft.state.covered:
        draft.emit(e.IncidentCovered, on_the_way=coming)
        draft.judge = True
    elif not enough and draft.state.covered:
        draft.emit(e.IncidentUncovered, on_the_way=coming)
    if draft.state.covered and (draft.judge or _improved(before, draft.state)):
        judge(draft)


def _improved(before: Incident, now: Incident) -> bool:
    """Whether somebody is expected earlier than anybody was."""
    best, best_before = best_expected_at(now), best_expected_at(before)
    return best is not None and (best_before is None or best < best_before)


def _tick(draft: Draft, command: c.Command) -> None:
    """All that a tick does, its time does."""


_COMMANDS: dict[type[c.Command], Callable[[Draft, Any], None]] = {
    c.Update: control.update,
    c.GiveAnswer: answers.give_answer,
    c.See: answers.see,
    c.NotUnderstand: answers.not_understand,
    c.Settle: answers.settle,
    c.SocketAppeared: lambda draft, command: socket_appeared(draft, command.n),
    c.Leave: answers.leave,
    c.More: control.more,
    c.Enough: lambda draft, _: control.enough(draft),
    c.Tick: _tick,
    c.Pause: lambda draft, _: control.pause(draft),
    c.Resume: lambda draft, _: control.resume(draft),
    c.Cancel: lambda draft, _: control.cancel(draft),
    c.Close: lambda draft, _: control.close(draft),
    c.Reopen: lambda draft, _: control.reopen(draft),
}
