"""Each cell of the incident's table, brought about through ``decide`` in each way that the rules give."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from dispatch.core.lifecycle import INCIDENT, INCIDENT_COLUMNS, Next, Refusal
from tests.core.lifecycle_rules import incident_spec
from tests.core.world import START_MS, How, Night, outcome


def held(night: Night) -> Night:
    return night.report(hazard="hold")


def held_for_position(night: Night) -> Night:
    return night.report(position_good=False, called_at=START_MS - 10_000_000)


def held_for_paused(night: Night) -> Night:
    return night.report(paused=True)


def held_with_accepted(night: Night) -> Night:
    night.report()
    night.accept(1)
    night.update(hazard="hold")
    return night


def held_with_alert(night: Night) -> Night:
    night.report()
    night.update(hazard="hold")
    return night


def ended(end: str, **about: str) -> Callable[[Night], Night]:
    def do(night: Night) -> Night:
        night.report(**about)
        getattr(night, end)()
        return night

    return do


def answered(answer: str) -> How:
    return lambda night: night.answer(1, answer)  # type: ignore[arg-type]


Start = Callable[[Night], Night]


class Way(NamedTuple):
    start: Start
    do: How
    becomes: str


OPENED: Start = Night.report
ALWAYS: dict[str, How] = {
    "update": lambda night: night.update("details"),
    "more": lambda night: night.more(),
    "enough": lambda night: night.enough(),
    "accept": answered("accept"),
    "decline, arrived, finished": answered("decline"),
    "unsafe": answered("unsafe"),
    "tick": lambda night: night.tick(),
    "pause": lambda night: night.pause(),
    "resume": lambda night: night.resume(),
    "cancel": lambda night: night.cancel(),
    "close": lambda night: night.close(),
    "reopen": lambda night: night.reopen(),
}


def close_by_itself(night: Night) -> None:
    night.wait(20_000)


INCIDENT_WAYS: dict[tuple[str, str], list[Way]] = {
    ("open", "update"): [
        Way(OPENED, ALWAYS["update"], "open"),
        Way(OPENED, lambda night: night.update(hazard="hold"), "held"),
        Way(OPENED, lambda night: night.update("code", never_alert=True), "held"),
    ],
    ("open", "accept"): [Way(OPENED, ALWAYS["accept"], "open")],
    ("open", "decline, arrived, finished"): [
        Way(OPENED, answered("decline"), "open"),
        Way(OPENED, answered("arrived"), "open"),
    ],
    ("open", "tick"): [Way(OPENED, ALWAYS["tick"], "open"), Way(OPENED, close_by_itself, "closed")],
    ("held", "update"): [
        Way(held, ALWAYS["update"], "held"),
        Way(held, lambda night: night.update(hazard="none"), "open"),
    ],
    ("held", "more"): [Way(held, ALWAYS["more"], "held"), Way(held_for_position, ALWAYS["more"], "open")],
    ("held", "accept"): [
        Way(held_with_alert, ALWAYS["accept"], "409 held"),
        Way(held_with_accepted, ALWAYS["accept"], "held"),
    ],
    ("held", "decline, arrived, finished"): [
        Way(held_with_alert, answered("decline"), "held"),
        Way(held_with_alert, answered("arrived"), "held"),
        Way(held_with_accepted, answered("finished"), "held"),
    ],
    ("held", "unsafe"): [Way(held_with_alert, ALWAYS["unsafe"], "held")],
    ("held", "tick"): [Way(held, ALWAYS["tick"], "held"), Way(held, close_by_itself, "closed")],
    ("held", "resume"): [
        Way(held, ALWAYS["resume"], "held"),
        Way(held_for_paused, ALWAYS["resume"], "open"),
    ],
}
for end, past in (("close", "closed"), ("cancel", "cancelled")):
    INCIDENT_WAYS[past, "decline, arrived, finished"] = [
        Way(ended(end), answered("decline"), past),
        Way(ended(end), answered("arrived"), "409 ended"),
        Way(ended(end), answered("finished"), "409 ended"),
    ]
    INCIDENT_WAYS[past, "reopen"] = [
        Way(ended(end), ALWAYS["reopen"], "open"),
        Way(ended(end, hazard="hold"), ALWAYS["reopen"], "held"),
    ]


def ways(state: str, column: str) -> list[Way]:
    """Those written out above, else the column's usual cause with the one outcome that the rules give."""
    if (state, column) in INCIDENT_WAYS:
        return INCIDENT_WAYS[state, column]
    start = {"open": OPENED, "held": held, "closed": ended("close"), "cancelled": ended("cancel")}[state]
    cell = incident_spec()[state][column]
    assert not isinstance(cell, Next) or len(cell.states) < 2, "more than one outcome: write them out"
    if isinstance(cell, Refusal):
        return [Way(start, ALWAYS[column], f"409 {cell.code}")]
    becomes = cell.states[0] if isinstance(cell, Next) and cell.states else state
    return [Way(start, ALWAYS[column], becomes)]


@pytest.mark.parametrize("state", INCIDENT)
@pytest.mark.parametrize("column", INCIDENT_COLUMNS)
def test_an_incidents_cell(state: str, column: str) -> None:
    brought = set()
    for way in ways(state, column):
        night = way.start(Night(3, wanted=2))
        assert night.state.state == state
        became = outcome(night, way.do, lambda night=night: night.state.state)  # type: ignore[misc]
        assert became == way.becomes
        brought.add(became)
    cell = incident_spec()[state][column]
    if isinstance(cell, Next):
        assert set(cell.states or (state,)) == brought
