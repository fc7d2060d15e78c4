"""The two lifecycle tables, typed from the rules and read independently of ``lifecycle.py``."""

from dispatch.core.lifecycle import NEVER, SAME, SEE_ALERT, Cell, Next, Refusal

# The rules' words. "=": taken without change; "-": can not come upon it; "sd": stood_down.
ALERT_RULES = """
| alert      | accept      | decline  | arrived | finished         | receipt        | all rungs failed | its time                                | covered | hold    | block | moved, changed | suspended, engaged | cancel | close    |
| O          | accepted    | declined | arrived | 409 not_engaged  | higher of both | =                | expired; failed if lost; sd if covered  | sd      | sd      | sd    | sd             | sd                 | sd     | sd       |
| accepted   | =           | declined | arrived | finished         | =              | -                | overdue, still accepted; lapse: finished | =      | =       | sd    | =              | sd                 | sd     | sd       |
| arrived    | =           | declined | =       | finished         | =              | -                | lapse: finished                         | =       | =       | sd    | =              | sd                 | sd     | finished |
| finished   | 409 ended   | =        | =       | =                | =              | -                | =                                       | =       | =       | =     | =              | =                  | =      | =        |
| declined   | accepted    | =        | arrived | 409 not_engaged  | =              | -                | =                                       | =       | =       | =     | =              | =                  | =      | =        |
| expired    | accepted    | declined | arrived | 409 not_engaged  | =              | -                | =                                       | sd      | sd      | sd    | =              | =                  | sd     | sd       |
| stood_down | accepted    | declined | arrived | 409 not_engaged  | =              | -                | =                                       | =       | =       | =     | =              | =                  | =      | =        |
| failed     | accepted    | declined | arrived | 409 not_engaged  | =              | -                | =                                       | =       | =       | =     | =              | =                  | =      | =        |
"""  # noqa: E501
INCIDENT_RULES = """
| incident  | update     | more       | enough    | accept    | decline, arrived, finished | unsafe    | tick         | pause | resume     | cancel    | close     | reopen     |
| open      | open; held | open       | open      | open      | open                       | held      | open; closed | held  | =          | cancelled | closed    | =          |
| held      | held; open | held; open | held      | 409 held  | held                       | held      | held; closed | held  | held; open | cancelled | closed    | =          |
| closed    | 409 ended  | 409 ended  | 409 ended | 409 ended | see above                  | 409 ended | =            | =     | =          | 409 ended | =         | open; held |
| cancelled | 409 ended  | 409 ended  | 409 ended | 409 ended | see above                  | 409 ended | =            | =     | =          | =         | 409 ended | open; held |
"""  # noqa: E501

OPEN = ("requested", "sent", "delivered", "seen")
WORDS: dict[str, Cell] = {
    "=": SAME,
    "-": NEVER,
    "see above": SEE_ALERT,
    "sd": Next(("stood_down",)),
    "expired; failed if lost; sd if covered": Next(("expired", "failed", "stood_down")),
    "overdue, still accepted; lapse: finished": Next(("accepted", "finished")),
    "lapse: finished": Next(("finished",)),
    "open; held": Next(("open", "held")),
    "held; open": Next(("held", "open")),
    "open; closed": Next(("open", "closed")),
    "held; closed": Next(("held", "closed")),
}
ALERT_NAMES = {
    "covered": "covered, enough, ambulance",
    "hold": "hold, unsafe",
    "block": "block, code",
    "moved, changed": "moved out, changed",
}


def table(text: str) -> dict[str, dict[str, str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()]
    return {row[0]: dict(zip(lines[0][1:], row[1:], strict=True)) for row in lines[1:]}


def meaning(words: str) -> Cell:
    if words.startswith("409 "):
        return Refusal(words.removeprefix("409 "))  # type: ignore[arg-type]
    return WORDS[words] if words in WORDS else Next((words,))


def receipt_cells(state: str) -> dict[str, Cell]:
    """A receipt lifts an open alert to the higher of both, and is only recorded on any other."""
    receipts = ("sent", "delivered", "seen")
    if state not in OPEN:
        return dict.fromkeys(receipts, SAME)
    higher = OPEN[OPEN.index(state) + 1 :]
    return {receipt: Next((receipt,)) if receipt in higher else SAME for receipt in receipts}


def alert_spec() -> dict[str, dict[str, Cell]]:
    spec = {}
    for name, row in table(ALERT_RULES).items():
        for state in OPEN if name == "O" else (name,):
            cells = {column: meaning(words) for column, words in row.items() if column != "receipt"}
            renamed = {ALERT_NAMES.get(column, column): cell for column, cell in cells.items()}
            spec[state] = renamed | receipt_cells(state)
    return spec


def incident_spec() -> dict[str, dict[str, Cell]]:
    rows = table(INCIDENT_RULES)
    return {state: {column: meaning(words) for column, words in row.items()} for state, row in rows.items()}


AFTER_THE_END = {
    "accept": "409 ended",
    "arrived": "409 ended",
    "unsafe": "409 ended",
    "finished": "409 ended",
    "decline": "=",
    "sent": "=",
    "delivered": "=",
    "seen": "=",
}
"""What a medic may still do once the incident has ended."""
