"""Back from events to the commands behind them, as far as the events tell: for replay, never for deciding.

An answer, a receipt, an outcome, a control room's word: all that such a command said stands in the event that
it made first. A tick says nothing but its time. What a command knew besides (candidates) no event tells; such
commands are kept, in rows of their own. Whether a command is the right one is found by deciding it again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy

PolicyOf = Callable[[str], Policy]
"""A policy by its hash; LookupError where it is not kept."""


def opening(opened: e.IncidentOpened, after: Sequence[e.Event], policy_of: PolicyOf) -> c.Open:
    """The report that opened an incident; ``after``: the events that followed."""
    held = after[0].reasons if after and isinstance(after[0], e.IncidentHeld) else ()
    return c.Open(
        at=opened.at,
        by=opened.by,
        key=opened.key,
        policy=policy_of(opened.policy),
        reference=opened.reference,
        kind=opened.kind,
        priority=opened.priority,
        setting=opened.setting,
        drill=opened.drill,
        hazard=opened.hazard,
        called_at=opened.called_at,
        ambulance_due_at=opened.ambulance_due_at,
        position_good="position" not in held,
        never_alert="code" in held,
        paused="paused" in held,
    )


def commands_behind(
    state: Incident, events: Sequence[e.AnyEvent], policy_of: PolicyOf
) -> Iterator[c.Command]:
    """The commands by which these events (at least one) may begin, likeliest first.

    What the time had made due comes before a command's own first event, and is the timer's. So the first
    event that is somebody else's tells what he did; or he did nothing that shows, and time did it all. (An
    incident that closed by itself stands its medics down in the name of whose command found it due.)
    """
    policy = policy_of(state.policy)
    actors: dict[tuple[e.By, str | None], None] = {}
    for i, event in enumerate(events):
        about = {"at": event.at, "by": event.by, "key": event.key, "policy": policy}
        yield from _own(state, event, events[i:], about, policy_of)
        actors[event.by, event.key] = None
        if event.by != "timer" and not (isinstance(event, e.AlertStoodDown) and event.reason == "closed"):
            break
    for by, key in actors:
        yield c.Tick(at=events[0].at, by=by, key=key, policy=policy)


def _own(
    state: Incident, event: e.AnyEvent, rest: Sequence[e.Event], about: Mapping[str, Any], policy_of: PolicyOf
) -> Iterator[c.Command]:
    """The command whose own first event this may be; ``rest`` begins with it."""
    match event:
        case e.IncidentUpdated():
            yield _update(state, event, _until_next(rest[1:]), about, policy_of)
            yield _update(state, event, (), about, policy_of)
        case e.AlertAnswered(n=n, answer=answer, channel=channel, eta_s=eta_s):
            if event.by == "control_room":
                yield c.Close(**about)
            yield c.GiveAnswer(**about, n=n, answer=answer, channel=channel, eta_s=eta_s)
            if answer == "decline" and channel is None:
                yield c.Leave(**about, n=n, why="deleted")
        case e.AlertStoodDown(n=n, reason="suspended" | "engaged" as reason):
            yield c.Leave(**about, n=n, why=reason)
        case e.AlertSeen(n=n, channel=channel):
            yield c.See(**about, n=n, channel=channel)
        case e.TextNotUnderstood(n=n, channel=channel):
            yield c.NotUnderstand(**about, n=n, channel=channel)
        case e.NotificationSent() | e.NotificationDelivered() | e.NotificationFailed():
            yield _settle(event, about)
        case e.NotificationRequested(n=n, channel="websocket"):
            yield c.SocketAppeared(**about, n=n)
        case e.MoreRequested(count=count):
            yield c.More(**about, count=count)
        case _:
            yield from _of_the_incident(state, event, about)


def _of_the_incident(state: Incident, event: e.AnyEvent, about: Mapping[str, Any]) -> Iterator[c.Command]:
    match event:
        case e.EnoughSaid():
            yield c.Enough(**about)
        case e.IncidentCancelled():
            yield c.Cancel(**about)
        case e.IncidentClosed() if event.by != "timer":
            yield c.Close(**about)
        case e.IncidentReopened():
            yield c.Reopen(**about)
        case e.IncidentHeld(reasons=reasons) if "paused" in reasons and not state.paused:
            yield c.Pause(**about)
        case e.IncidentHeld() | e.IncidentReleased() if state.paused:
            yield c.Resume(**about)


def _settle(
    event: e.NotificationSent | e.NotificationDelivered | e.NotificationFailed, about: Mapping[str, Any]
) -> c.Settle:
    if isinstance(event, e.NotificationFailed):
        why: dict[str, Any] = {"reason": event.reason, "definite": event.definite}
        return c.Settle(**about, n=event.n, k=event.k, result="failed", **why)
    result: Any = "sent" if isinstance(event, e.NotificationSent) else "delivered"
    return c.Settle(**about, n=event.n, k=event.k, result=result)


def _update(
    state: Incident,
    event: e.IncidentUpdated,
    ours: Sequence[e.Event],
    about: Mapping[str, Any],
    policy_of: PolicyOf,
) -> c.Update:
    """What it did to the reasons to hold, and how medics stood to it, is read from ``ours``, its events."""
    held = next((_holds(one) for one in ours if isinstance(one, HOLDING)), state.held_for)
    never_alert: bool | None = None
    if "code" in held:
        again = event.kind is not None or any(
            isinstance(one, e.AlertStoodDown) and one.reason == "changed" for one in ours
        )
        never_alert = True if again or "code" not in state.held_for else None
    elif "code" in state.held_for and event.kind is None:
        never_alert = False
    policy = policy_of(event.policy) if event.policy is not None else about["policy"]
    return c.Update(
        **{**about, "policy": policy},
        fields=event.fields,
        kind=event.kind,
        never_alert=never_alert,
        priority=event.priority,
        setting=event.setting,
        hazard=event.hazard,
        ambulance_due_at=event.ambulance_due_at,
        ambulance_arrived_at=event.ambulance_arrived_at,
        position_good="position" in state.held_for and "position" not in held,
        standing=tuple(_standing(ours, policy)),
    )


HOLDING = (e.IncidentHeld, e.IncidentReleased)


def _holds(event: e.Event) -> tuple[e.Hold, ...]:
    return event.reasons if isinstance(event, e.IncidentHeld) else ()


def _until_next(after: Sequence[e.Event]) -> Sequence[e.Event]:
    """What came before the next change of the incident."""
    end = next((i for i, one in enumerate(after) if isinstance(one, e.IncidentUpdated)), len(after))
    return after[:end]


def _standing(ours: Sequence[e.Event], policy: Policy) -> Iterator[c.Standing]:
    """Of those of whom it made a difference: who stays, who is out of reach now, who no longer fits."""
    for event in ours:
        match event:
            case e.AlertMoved(n=n, eta_s=eta_s):
                yield c.Standing(n, eta_s, 0, fits=True)
            case e.AlertStoodDown(n=n, reason="moved"):
                yield c.Standing(n, policy.reach_s + 1, 0, fits=True)
            case e.AlertStoodDown(n=n, reason="changed"):
                yield c.Standing(n, 0, 0, fits=False)
