"""Each cell of the alert's table, brought about through ``decide``.

An alert is taken to the row's state and the column's cause let loose upon it in each way that it has. What
becomes of it must be what the cell says, and all that the cell says must have become of it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from dispatch.core.lifecycle import ALERT, NEVER, Next, Refusal
from tests.core.lifecycle_rules import AFTER_THE_END, OPEN, alert_spec
from tests.core.world import How, Medic, Night, outcome


class Case(NamedTuple):
    """A cause in one of its ways, upon a state that ``prepare`` may go on from."""

    state: str
    column: str
    way: str
    do: How
    becomes: str
    prepare: How | None = None


def no_more(night: Night) -> None:
    """As it is."""


def expire(night: Night) -> None:
    night.deliver(1)
    night.wait(91)


def fail(night: Night) -> None:
    night.lose(1)
    night.wait(91)


def finish(night: Night) -> None:
    night.answer(1, "arrived")
    night.answer(1, "finished")


def unsafe(night: Night) -> None:
    night.answer(1, "unsafe")


def stand_down(night: Night) -> None:
    night.near[0].free = False
    night.leave(1, "engaged")


TO_STATE: dict[str, How] = {
    "requested": no_more,
    "sent": lambda night: night.settle(1, "sent"),
    "delivered": lambda night: night.deliver(1),
    "seen": lambda night: night.see(1),
    "accepted": lambda night: night.accept(1),
    "arrived": lambda night: night.answer(1, "arrived"),
    "finished": finish,
    "declined": lambda night: night.answer(1, "decline"),
    "expired": expire,
    "stood_down": stand_down,
    "failed": fail,
}


def cover(night: Night) -> None:
    night.accept(2, eta_s=1)
    if not night.state.covered:
        night.accept(3, eta_s=1)
    assert night.state.covered


def cover_behind(night: Night) -> None:
    """Covered by medics whom alert 1 could still beat."""
    night.accept(2, eta_s=1000)
    night.accept(3, eta_s=1000)
    assert night.state.covered


def change_kind(night: Night) -> None:
    night.medic_of[1].fits = False
    night.change_kind(night.policy)


def lose(night: Night) -> None:
    night.lose(1)


CAUSES: dict[str, dict[str, How]] = {
    "accept": {"accept": lambda night: night.accept(1)},
    "decline": {
        "decline": lambda night: night.answer(1, "decline"),
    },
    "arrived": {"arrived": lambda night: night.answer(1, "arrived")},
    "finished": {"finished": lambda night: night.answer(1, "finished")},
    "sent": {"sent": lambda night: night.settle(1, "sent", k=1)},
    "delivered": {"delivered": lambda night: night.settle(1, "delivered", k=1)},
    "seen": {"seen": lambda night: night.see(1)},
    "covered, enough, ambulance": {
        "covered": cover,
        "enough": lambda night: night.enough(),
        "ambulance": lambda night: night.update(ambulance_arrived_at=night.at),
    },
    "hold, unsafe": {
        "hazard": lambda night: night.update(hazard="hold"),
        "unsafe": lambda night: night.answer(2, "unsafe"),
        "paused": lambda night: night.pause(),
    },
    "block, code": {
        "block": lambda night: night.update(hazard="block"),
        "code": lambda night: night.update("code", never_alert=True),
    },
    "moved out, changed": {"moved": lambda night: night.move({1: 9999}), "changed": change_kind},
    "suspended, engaged": {
        "suspended": lambda night: night.leave(1, "suspended"),
        "engaged": lambda night: night.leave(1, "engaged"),
    },
    "cancel": {"cancel": lambda night: night.cancel()},
    "close": {"close": lambda night: night.close()},
}


def cases() -> Iterator[Case]:
    for state, row in alert_spec().items():
        for column, ways in CAUSES.items():
            cell = row[column]
            becomes = cell.states[0] if isinstance(cell, Next) and cell.states else state
            if isinstance(cell, Refusal):
                becomes = f"409 {cell.code}"
            for way, do in ways.items():
                yield Case(state, column, way, do, becomes)
        yield from timed_cases(state)


def timed_cases(state: str) -> Iterator[Case]:
    """The columns of which the rules pick one of several, or which come upon an open alert alone."""
    if state in OPEN:
        yield Case(state, "its time", "expired", lambda night: night.wait(90), "expired")
        yield Case(state, "its time", "covered", lambda night: night.wait(90), "stood_down", cover_behind)
        yield Case(state, "all rungs failed", "lost", lose, state)
        if state in ("requested", "sent"):
            yield Case(state, "its time", "lost", lambda night: night.wait(90), "failed", lose)
    elif state == "accepted":
        yield Case(state, "its time", "overdue", lambda night: night.wait(1000), "accepted")
        yield Case(state, "its time", "lapse", lambda night: night.wait(3600), "finished")
    elif state == "arrived":
        yield Case(state, "its time", "lapse", lambda night: night.wait(3600), "finished")
    else:
        yield Case(state, "its time", "time", lambda night: night.wait(3600), state)


def named(case: Case) -> str:
    return f"{case.state}-{case.way}"


@pytest.mark.parametrize("case", list(cases()), ids=named)
def test_an_alerts_cell(case: Case) -> None:
    night = Night([Medic("one", 60), Medic("two", 61), Medic("three", 62)], wanted=2, waves=[(0, 3)]).report()
    TO_STATE[case.state](night)
    if case.prepare is not None:
        case.prepare(night)
    assert night.alert(1).state == case.state
    assert outcome(night, case.do, lambda: night.state.newest_of(1).state) == case.becomes


def test_every_outcome_of_every_alert_cell_was_brought_about() -> None:
    """``NEVER`` alone is left: rungs are climbed for open alerts only."""
    brought: dict[tuple[str, str], set[str]] = {}
    for case in cases():
        brought.setdefault((case.state, case.column), set()).add(case.becomes)
    for state, row in ALERT.items():
        for column, cell in row.items():
            if cell is NEVER:
                assert (state, column) not in brought
            elif isinstance(cell, Next):
                missing = set(cell.states or (state,)) - brought[state, column]
                assert missing <= ({"failed"} if state in ("delivered", "seen") else set())
            else:
                assert brought[state, column] == {f"409 {cell.code}"}


@pytest.mark.parametrize("end", ["cancel", "close"])
@pytest.mark.parametrize("state", TO_STATE)
@pytest.mark.parametrize("column", AFTER_THE_END)
def test_after_the_end(end: str, state: str, column: str) -> None:
    night = Night([Medic("one", 60)], wanted=2, waves=[(0, 1)]).report()
    TO_STATE[state](night)
    getattr(night, end)()
    before = night.alert(1).state
    do = {"unsafe": unsafe, **CAUSES.get(column, {})}[column]
    expected = AFTER_THE_END[column]
    if column == "finished" and before == "finished":
        expected = "="
    became = outcome(night, do, lambda: night.alert(1).state)
    assert became == (before if expected == "=" else expected)
