"""What a medic says, and what becomes of it. The lifecycle table says what each state takes."""

from typing import Any

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.incident import Alert
from dispatch.core.ladder import socket_appeared
from dispatch.core.lifecycle import ALERT, ENDED_ALERT, SAME, Refusal
from dispatch.core.policy import Policy
from dispatch.core.stand_down import beats_best, hold

NEVER_AGAIN = ("changed", "suspended")
"""Stand-downs after which no accept is taken, whatever she said since: she does not fit, or may not come."""


def give_answer(draft: Draft, command: c.GiveAnswer) -> None:
    """An answer to an older alert of hers counts for her newest. Raises Refused, LookupError."""
    alert = draft.state.newest_of(command.n)
    if not draft.state.live:
        _after_the_end(alert, command.answer)
    elif command.answer == "unsafe":
        _unsafe(draft, alert, command)
    else:
        _live(draft, alert, command)


def _after_the_end(alert: Alert, answer: e.Answer) -> None:
    cell = ENDED_ALERT[answer]
    if isinstance(cell, Refusal) and not (answer == alert.state == "finished"):
        raise c.Refused(cell.code)


def _unsafe(draft: Draft, alert: Alert, command: c.GiveAnswer) -> None:
    if "unsafe" in draft.state.held_for:
        return
    draft.emit(e.AlertAnswered, n=alert.n, answer="unsafe", channel=command.channel)
    hold(draft, add=("unsafe",))


def _live(draft: Draft, alert: Alert, command: c.GiveAnswer) -> None:
    cell = ALERT[alert.state][command.answer]
    if isinstance(cell, Refusal):
        raise c.Refused(cell.code)
    if cell is SAME or _says_nothing_of_her(alert, command):
        return
    eta_s = None
    if command.answer == "accept":
        eta_s = alert.eta_s if command.eta_s is None else command.eta_s
        _check_accept(draft, alert, command, eta_s)
    draft.emit(e.AlertAnswered, n=alert.n, answer=command.answer, channel=command.channel, eta_s=eta_s)


def _says_nothing_of_her(alert: Alert, command: c.GiveAnswer) -> bool:
    """A fix near it (``by`` timer) shows that an accepted medic is there; others may merely pass by."""
    return command.answer == "arrived" and command.by == "timer" and alert.state != "accepted"


def _check_accept(draft: Draft, alert: Alert, command: c.GiveAnswer, eta_s: int) -> None:
    """Refuses in the rules' order: ended, held, engaged, covered."""
    if command.suspended or alert.reason in NEVER_AGAIN:
        raise c.Refused("ended")
    if draft.state.state == "held":
        raise c.Refused("held")
    if command.engaged:
        raise c.Refused("engaged")
    if not alert.open and not _wanted_late(draft, eta_s):
        raise c.Refused("covered")


def _wanted_late(draft: Draft, eta_s: int) -> bool:
    return draft.state.asking or beats_best(draft, eta_s)


def see(draft: Draft, command: c.See) -> None:
    """The first time a person opened it; later ones change nothing."""
    if draft.state.alert(command.n).seen_at is None:
        draft.emit(e.AlertSeen, n=command.n, channel=command.channel)


def not_understand(draft: Draft, command: c.NotUnderstand) -> None:
    """The control room is told that she wrote something else, as often as she does."""
    alert = draft.state.alert(command.n)
    draft.emit(e.TextNotUnderstood, n=alert.n, channel=command.channel)


def leave(draft: Draft, command: c.Leave) -> None:
    """Suspended or engaged elsewhere: stood down. Opted out or deleted: her own decline."""
    alert = draft.state.newest_of(command.n)
    if not (alert.open or alert.engaged):  # nobody is, once it has ended
        return
    if command.why in ("suspended", "engaged"):
        draft.emit(e.AlertStoodDown, n=alert.n, reason=command.why)
    elif alert.open or command.why == "deleted":
        draft.emit(e.AlertAnswered, n=alert.n, answer="decline", channel=None)


def settle(draft: Draft, command: c.Settle) -> None:
    """The outcome of a send. Words about it come doubled and in any order; a last word is never taken back.

    Delivered and definitely failed are certain. What failed otherwise may still turn out to be one of them,
    but that it was sent, or is on its way, is old news then. A device that has it knows best: it may have had
    it from a node of which the one that said it had failed knew nothing.
    """
    alert = draft.state.alert(command.n)
    note = alert.note(command.k)
    if note is None:
        raise LookupError(f"no notification {command.n}-{command.k}")
    learnt = command.result == "failed" and command.definite
    has = command.result == "delivered" and command.by == "medic"
    if note.state == "delivered" or (note.unsent and not has):
        return
    if note.state == command.result and not learnt:
        return
    if note.state == "failed" and command.result == "sent":
        return
    about: dict[str, Any] = {"n": alert.n, "k": note.k, "channel": note.channel, "purpose": note.purpose}
    if command.result == "failed":
        draft.emit(e.NotificationFailed, **about, reason=command.reason, definite=command.definite)
        return
    if command.result == "sent":
        draft.emit(e.NotificationSent, **about)
        return
    draft.emit(e.NotificationDelivered, **about)
    if note.purpose == "alert" and alert.delivered_at is None:
        draft.emit(e.AlertDelivered, n=alert.n, channel=note.channel)
    if has:  # she has a socket: what could not be told before is
        socket_appeared(draft, alert.n)


def has_arrived(policy: Policy, *, distance_m: float, accuracy_m: float | None) -> bool:
    """Whether a fix shows that an accepted medic is there, so that she need not press the button."""
    return accuracy_m is not None and max(distance_m, accuracy_m) <= policy.near_m
