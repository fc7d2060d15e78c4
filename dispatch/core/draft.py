"""A decision while it is being made: the events so far, and the state that they have led to.

Every rule reads ``draft.state`` and writes by ``draft.emit``, so that the state within a decision is made by
the same ``apply`` as everywhere else. ``draft.state`` is the decision's own copy and changes with each event:
what a rule wants to remember of before, it takes out first. A draft never leaves ``decide``.
"""

from typing import Any

from dispatch.core import events as e
from dispatch.core.commands import Candidate, Command, Search
from dispatch.core.evolve import apply
from dispatch.core.incident import Incident, copy_of


class Draft:
    """``at`` is the command's time, or the state's where the command's lies before it."""

    __slots__ = (
        "answered",
        "asked",
        "at",
        "command",
        "events",
        "judge",
        "missing",
        "policy",
        "rung_at",
        "search",
        "short",
        "state",
    )

    def __init__(self, state: Incident, command: Command) -> None:
        self.state = state
        self.command = command
        self.policy = command.policy
        self.at = command.at if command.at > state.at else state.at
        self.events: list[e.AnyEvent] = []
        self.asked: list[tuple[int, Candidate]] = []
        self.search: Search | None = None
        self.answered: Search | None = None
        """What the command's candidates were looked for by, where that is known."""
        self.short = False
        """Fewer alerts count than are due, whether or not anybody might be found."""
        self.missing = False
        """Somebody is still missing who might be found by another look."""
        self.rung_at: int | None = None
        """When the next rung is due that is not yet."""
        self.judge = False
        """Open alerts are to be held against the best expected arrival."""

    def copy_for(self, command: Command) -> "Draft":
        """The same so far, for the command with the candidates that were asked for."""
        copy = Draft(copy_of(self.state), command)
        copy.events = self.events.copy()
        copy.answered = self.search
        return copy

    def look_for(self, search: Search) -> None:
        """Asks for candidates; where two rules of one decision do, the wider search serves both."""
        if self.search is None or search.count > self.search.count:
            self.search = search

    def emit(self, kind: type[e.AnyEvent], /, *, by: e.By | None = None, **data: Any) -> None:
        """Adds an event, by whoever sent the command unless ``by`` says otherwise."""
        command = self.command
        event = kind(at=self.at, by=by or command.by, key=command.key if by is None else None, **data)
        apply(self.state, event)
        self.events.append(event)
