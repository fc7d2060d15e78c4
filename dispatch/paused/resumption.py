"""Going on after a pause: what the service would send, told before it is let go. By the core alone, pure.

An incident is first held for ``paused`` if no node has held it yet, then closed if it is too old, then
released: by the very commands that the service decides, so that what is told is what will be done.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import Decision, decide
from dispatch.core.incident import Incident
from dispatch.records import Record
from dispatch.sending.messages import still_holds


class Owed(msgspec.Struct, frozen=True):
    """What one incident owes once the service goes on. Times in ms, ages in s.

    ``closes``: it would be closed first. ``alerts``: so many medics would be looked for; ``sends``: by
    purpose and channel. ``unsure``: sends before the pause of which it is not known whether the provider has
    them; it is asked, and nothing is repeated.
    """

    incident_id: str
    reference: str
    kind: str
    drill: bool
    state: str
    opened_at: int
    age_s: int
    closes: bool
    alerts: int
    sends: dict[str, int]
    unsure: int


def too_old(record: Record, at: int, older_than_s: int | None) -> bool:
    """Whether a live incident was opened so long ago that it is to be closed."""
    state = record.state
    return older_than_s is not None and state.live and at - state.opened_at > older_than_s * 1000


def before_going_on(record: Record, at: int, *, close: bool) -> Iterator[c.Command]:
    """What is decided about it before the service goes on."""
    if record.state.live and not record.state.paused:
        yield c.Pause(at=at, policy=record.policy)
    if close:
        # Whoever resumes says so in the control room's stead, with no key of theirs.
        yield c.Close(at=at, by="control_room", policy=record.policy)


def decided(record: Record, commands: Iterator[c.Command]) -> tuple[tuple[e.AnyEvent, ...], Decision | None]:
    """The events of commands decided in turn, and the last decision; none of them asks for medics."""
    state, last = record.state, None
    happened: list[e.AnyEvent] = []
    for command in commands:
        last = decide(state, command)
        state = last.state
        happened += last.events
    return tuple(happened), last


def owed(record: Record, at: int, *, close: bool) -> Owed | None:
    """What it owes; None where that is nothing."""
    _, last = decided(record, before_going_on(record, at, close=close))
    state = last.state if last is not None else record.state
    resume = c.Resume(at=at, policy=record.policy)
    decision = decide(state, resume)
    alerts = decision.search.count if decision.search is not None else 0
    if decision.search is not None:
        decision = decide(state, c.Resume(at=at, policy=record.policy, candidates=()))
    sends, unsure = _sends(record.state, decision.state)
    if not (state.live or sends or unsure or alerts or close):
        return None
    return Owed(
        incident_id=record.id,
        reference=record.state.reference,
        kind=record.state.kind,
        drill=record.state.drill,
        state=record.state.state,
        opened_at=record.state.opened_at,
        age_s=(at - record.state.opened_at) // 1000,
        closes=close,
        alerts=alerts,
        sends=sends,
        unsure=unsure,
    )


def _sends(before: Incident, after: Incident) -> tuple[dict[str, int], int]:
    """What is without an outcome then and still true, by what and how; and how much may be out already."""
    sends: Counter[str] = Counter()
    unsure = 0
    for alert in after.alerts:
        old = before.alert(alert.n).notes
        for note in alert.notes:
            if not note.pending:
                continue
            if note.channel != "websocket" and any(one.k == note.k for one in old):
                unsure += 1
            elif still_holds(after, alert, note):
                sends[f"{note.purpose} {note.channel}"] += 1
    return dict(sorted(sends.items())), unsure
