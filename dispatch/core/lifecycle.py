"""The lifecycles of an incident and of an alert: one table each, the source of code, tests and diagrams.

A row is a state, a column what comes upon it, a cell what may follow:

- a state, or several of which the rules pick one (``accepted`` or a refusal, ``expired`` or ``failed``);
- ``SAME``: taken, and nothing changes;
- ``Refusal``: not taken, with the contract's 409 word;
- ``SEE_ALERT``: as the table of what comes upon the alert itself says;
- ``NEVER``: can not come upon this state.

Rows in which nothing happens are written out, so that each has been thought about. The columns stand for
an incident that is live; ``ENDED_ALERT`` is what an alert's medic may still do once it has ended.
``docs/draw_lifecycles.py`` draws the diagrams from here.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from dispatch.core.events import StandDown

AlertState: TypeAlias = Literal[
    "requested",
    "sent",
    "delivered",
    "seen",
    "accepted",
    "arrived",
    "finished",
    "declined",
    "expired",
    "stood_down",
    "failed",
]
IncidentState: TypeAlias = Literal["open", "held", "closed", "cancelled"]


class Refusal(NamedTuple):
    """Not taken: the code that the contract answers with 409."""

    code: Literal["covered", "ended", "held", "engaged", "not_engaged"]


class Elsewhere(NamedTuple):
    """Another table says it: which."""

    table: str


class Next(NamedTuple):
    """The states that may follow, the usual one first."""

    states: tuple[str, ...]


SAME = Next(())
NEVER = None
SEE_ALERT = Elsewhere("alert")
Cell: TypeAlias = Next | Refusal | Elsewhere | None


def to(*states: str) -> Next:
    return Next(states)


OPEN = ("requested", "sent", "delivered", "seen")
ON_ANSWER = ("accepted", "arrived")
LIVE = OPEN + ON_ANSWER
INCIDENT_LIVES = ("open", "held")

_NOT_ENGAGED = Refusal("not_engaged")
_ENDED = Refusal("ended")

ALERT_COLUMNS = (
    "accept",
    "decline",
    "arrived",
    "finished",
    "sent",
    "delivered",
    "seen",
    "all rungs failed",
    "its time",
    "covered, enough, ambulance",
    "hold, unsafe",
    "block, code",
    "moved out, changed",
    "suspended, engaged",
    "cancel",
    "close",
)


def _open(sent: Cell, delivered: Cell, seen: Cell) -> dict[str, Cell]:
    """The row of an open alert; receipts lift it to the higher of both."""
    down = to("stood_down")
    return {
        "accept": to("accepted"),
        "decline": to("declined"),
        "arrived": to("arrived"),
        "finished": _NOT_ENGAGED,
        "sent": sent,
        "delivered": delivered,
        "seen": seen,
        "all rungs failed": SAME,
        "its time": to("expired", "failed", "stood_down"),
        "covered, enough, ambulance": down,
        "hold, unsafe": down,
        "block, code": down,
        "moved out, changed": down,
        "suspended, engaged": down,
        "cancel": down,
        "close": down,
    }


def _ended(
    accept: Cell, decline: Cell, arrived: Cell, finished: Cell, told: Cell = SAME, block: Cell = SAME
) -> dict[str, Cell]:
    """The row of an alert that has ended: receipts are only recorded, and little can still happen."""
    return {
        "accept": accept,
        "decline": decline,
        "arrived": arrived,
        "finished": finished,
        "sent": SAME,
        "delivered": SAME,
        "seen": SAME,
        "all rungs failed": NEVER,
        "its time": SAME,
        "covered, enough, ambulance": told,
        "hold, unsafe": told,
        "block, code": block,
        "moved out, changed": SAME,
        "suspended, engaged": SAME,
        "cancel": told,
        "close": told,
    }


_LATE = Next(("accepted",))

ALERT: Mapping[str, Mapping[str, Cell]] = {
    "requested": _open(to("sent"), to("delivered"), to("seen")),
    "sent": _open(SAME, to("delivered"), to("seen")),
    "delivered": _open(SAME, SAME, to("seen")),
    "seen": _open(SAME, SAME, SAME),
    "accepted": {
        "accept": SAME,
        "decline": to("declined"),
        "arrived": to("arrived"),
        "finished": to("finished"),
        "sent": SAME,
        "delivered": SAME,
        "seen": SAME,
        "all rungs failed": NEVER,
        "its time": to("accepted", "finished"),
        "covered, enough, ambulance": SAME,
        "hold, unsafe": SAME,
        "block, code": to("stood_down"),
        "moved out, changed": SAME,
        "suspended, engaged": to("stood_down"),
        "cancel": to("stood_down"),
        "close": to("stood_down"),
    },
    "arrived": {
        "accept": SAME,
        "decline": to("declined"),
        "arrived": SAME,
        "finished": to("finished"),
        "sent": SAME,
        "delivered": SAME,
        "seen": SAME,
        "all rungs failed": NEVER,
        "its time": to("finished"),
        "covered, enough, ambulance": SAME,
        "hold, unsafe": SAME,
        "block, code": to("stood_down"),
        "moved out, changed": SAME,
        "suspended, engaged": to("stood_down"),
        "cancel": to("stood_down"),
        "close": to("finished"),
    },
    "finished": _ended(_ENDED, SAME, SAME, SAME),
    "declined": _ended(_LATE, SAME, to("arrived"), _NOT_ENGAGED),
    "expired": _ended(
        _LATE, to("declined"), to("arrived"), _NOT_ENGAGED, told=to("stood_down"), block=to("stood_down")
    ),
    "stood_down": _ended(_LATE, to("declined"), to("arrived"), _NOT_ENGAGED),
    "failed": _ended(_LATE, to("declined"), to("arrived"), _NOT_ENGAGED),
}

ENDED_ALERT: Mapping[str, Cell] = {
    "accept": _ENDED,
    "arrived": _ENDED,
    "unsafe": _ENDED,
    "finished": _ENDED,
    "decline": SAME,
    "sent": SAME,
    "delivered": SAME,
    "seen": SAME,
}
"""Answers and receipts once the incident has ended (``finished`` from finished is SAME)."""

INCIDENT_COLUMNS = (
    "update",
    "more",
    "enough",
    "accept",
    "decline, arrived, finished",
    "unsafe",
    "tick",
    "pause",
    "resume",
    "cancel",
    "close",
    "reopen",
)

_CLOSED_OR_CANCELLED: dict[str, Cell] = {
    "update": _ENDED,
    "more": _ENDED,
    "enough": _ENDED,
    "accept": _ENDED,
    "decline, arrived, finished": SEE_ALERT,
    "unsafe": _ENDED,
    "tick": SAME,
    "pause": SAME,
    "resume": SAME,
    "reopen": to("open", "held"),
}

INCIDENT: Mapping[str, Mapping[str, Cell]] = {
    "open": {
        "update": to("open", "held"),
        "more": to("open"),
        "enough": to("open"),
        "accept": to("open"),
        "decline, arrived, finished": to("open"),
        "unsafe": to("held"),
        "tick": to("open", "closed"),
        "pause": to("held"),
        "resume": SAME,
        "cancel": to("cancelled"),
        "close": to("closed"),
        "reopen": SAME,
    },
    "held": {
        "update": to("held", "open"),
        "more": to("held", "open"),
        "enough": to("held"),
        "accept": Refusal("held"),
        "decline, arrived, finished": to("held"),
        "unsafe": to("held"),
        "tick": to("held", "closed"),
        "pause": to("held"),
        "resume": to("held", "open"),
        "cancel": to("cancelled"),
        "close": to("closed"),
        "reopen": SAME,
    },
    "closed": {**_CLOSED_OR_CANCELLED, "cancel": _ENDED, "close": SAME},
    "cancelled": {**_CLOSED_OR_CANCELLED, "cancel": SAME, "close": _ENDED},
}

STAND_DOWN_COLUMN: Mapping[StandDown, str] = {
    "covered": "covered, enough, ambulance",
    "ambulance": "covered, enough, ambulance",
    "unsafe": "hold, unsafe",
    "changed": "moved out, changed",
    "moved": "moved out, changed",
    "suspended": "suspended, engaged",
    "engaged": "suspended, engaged",
    "cancelled": "cancel",
    "closed": "close",
}
"""Which column a stand-down's reason belongs to (hazard ``block`` and ``code`` use their own)."""
