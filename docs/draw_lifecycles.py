"""Draws docs/lifecycles.md from the tables in dispatch/core/lifecycle.py.

``python docs/draw_lifecycles.py`` writes the page; with ``--check`` it writes nothing, and exits 1 with one
line where the page is not what the tables say.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatch.core.lifecycle import (
    ALERT,
    ALERT_COLUMNS,
    ENDED_ALERT,
    INCIDENT,
    INCIDENT_COLUMNS,
    NEVER,
    OPEN,
    Cell,
    Elsewhere,
    Next,
    Refusal,
)

PAGE = Path(__file__).with_name("lifecycles.md")
Table = Mapping[str, Mapping[str, Cell]]

INTRODUCTION = """\
# Lifecycles

Drawn from `dispatch/core/lifecycle.py` by `docs/draw_lifecycles.py`; change the table, then run that. Code,
tests and this page have no other source.

In the tables a row is a state, a column what comes upon it, a cell what may follow: a state, or several of
which the rules pick one; `=` taken without change (HTTP 200); `409` and a word: refused, and nothing changes;
`-` can not come upon this state; `see alert` as the alert's tables say.
"""

ALERT_TEXT = """\
## An alert

One request to one medic. Open is `requested`, `sent`, `delivered` or `seen`, a machine or a person having it;
receipts lift an open alert, never lower it, and are only recorded once it has ended. The columns stand for an
incident that is live.

An accept from an ended state is taken, or refused: `ended` after a stand-down `changed` or `suspended`,
`held` while the incident is, `engaged` on another real incident, `covered` where enough are on the way and
she is not better by `better_by_s`. "covered" stands down only who cannot beat the best on the way; an expired
alert is told to stop only if it was delivered. "its time": an open alert fails if it was lost (no rung could
reach her), is stood down if the incident is covered, and else expires; an accepted one is overdue and stays
accepted, or lapses. "arrived" is also what a fix near the incident says, but of an accepted medic only.
"block, code" calls back whoever is on the way or there, each time that it is said. "suspended, engaged": her
accept or arrival ends whatever else she has, but a drill's takes her from no real incident.
"""

ENDED_TEXT = """\
Once the incident has ended (`finished` from finished is `=`):
"""

INCIDENT_TEXT = """\
## An incident

It opens `open`, or `held` where any of hazard, code, position, stale or paused holds it; then it is held
while any reason stands. An accept while held is refused, but is `=` from an accepted or arrived medic. An
ended incident's ticks bring only the stand-downs still owed.
"""


def page() -> str:
    parts = [
        INTRODUCTION,
        ALERT_TEXT,
        diagram(merged(ALERT), ends=("finished", "declined", "expired", "stood_down", "failed")),
        table("alert", ALERT, ALERT_COLUMNS),
        ENDED_TEXT,
        table("incident ended", {"any": ENDED_ALERT}, tuple(ENDED_ALERT)),
        INCIDENT_TEXT,
        diagram(INCIDENT, ends=("closed", "cancelled"), starts=("open", "held")),
        table("incident", INCIDENT, INCIDENT_COLUMNS),
    ]
    return "\n".join(parts)


def merged(alerts: Table) -> Table:
    """The open states as one, so that the picture shows what matters; the table shows them all."""
    rows: dict[str, Mapping[str, Cell]] = {"open": alerts[OPEN[0]]}
    return rows | {state: row for state, row in alerts.items() if state not in OPEN}


def diagram(rows: Table, *, ends: tuple[str, ...], starts: tuple[str, ...] = ("open",)) -> str:
    """A mermaid state diagram: an arrow for each pair of states, with all that leads along it."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {start}" for start in starts]
    lines += [f"    {start} --> {end}: {', '.join(causes)}" for (start, end), causes in arrows(rows).items()]
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```", ""])


def arrows(rows: Table) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for state, row in rows.items():
        for cause, cell in row.items():
            for follows in cell.states if isinstance(cell, Next) else ():
                if follows != state and follows in rows:
                    found.setdefault((state, follows), []).append(f"({cause})" if "," in cause else cause)
    return found


def table(corner: str, rows: Table, columns: tuple[str, ...]) -> str:
    lines = [row_of([corner, *columns]), row_of(["---"] * (len(columns) + 1))]
    lines += [row_of([state, *cells(row, columns)]) for state, row in rows.items()]
    return "\n".join([*lines, ""])


def row_of(words: list[str]) -> str:
    return f"| {' | '.join(words)} |"


def cells(row: Mapping[str, Cell], columns: tuple[str, ...]) -> Iterator[str]:
    for column in columns:
        yield shown(row[column])


def shown(cell: Cell) -> str:
    if cell is NEVER:
        return "-"
    if isinstance(cell, Refusal):
        return f"409 {cell.code}"
    if isinstance(cell, Elsewhere):
        return f"see {cell.table}"
    return " or ".join(cell.states) or "="


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the page is stale")
    if not parser.parse_args().check:
        PAGE.write_text(page(), "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == page():
        return 0
    print(
        "docs/lifecycles.md is not what the tables say: run python docs/draw_lifecycles.py", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
