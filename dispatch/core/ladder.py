"""How she is told: which channel next, for the alert and for each message after it."""

from collections.abc import Iterable

from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.incident import Alert, Incident, Note
from dispatch.core.lifecycle import OPEN
from dispatch.core.policy import Policy, Rung


def climb(draft: Draft, alerts: Iterable[Alert]) -> None:
    """Requests every notification of these alerts that is due, and notes when the next one is.

    Paused, nothing is sent.
    """
    state = draft.state
    if state.paused:
        return
    is_open, ladder = state.state == "open", draft.policy.ladder
    for alert in alerts:
        if is_open and alert.seen_at is None and alert.state in OPEN:
            _climb(draft, alert, 1, ladder, "alert", alert.requested_at)
        if is_unheard(state, alert):
            _climb_message(draft, alert)


def request(draft: Draft, n: int, channel: str, purpose: e.Purpose) -> None:
    k = len(draft.state.alert(n).notes) + 1
    draft.emit(e.NotificationRequested, n=n, k=k, channel=channel, purpose=purpose)


def unheard(state: Incident) -> bool:
    """Whether a device may come back for what it is still to be told beyond its alert."""
    return any(is_unheard(state, alert) for alert in state.alerts)


def is_unheard(state: Incident, alert: Alert) -> bool:
    """An update or a stand-down that is true still, and that no device of hers is known to have."""
    return alert.told != "alert" and alert.heard != alert.message and still_true(state, alert)


def still_true(state: Incident, alert: Alert) -> bool:
    """An update is for who is still alerted; a stand-down for who knows of her alert, or learns late."""
    if alert.told == "stand_down":
        return alert.state == "stood_down" and alert.may_know
    return state.live and (alert.open or alert.engaged)


def _climb_message(draft: Draft, alert: Alert) -> None:
    """The update or stand-down that she was told last, and is not known to have."""
    usable = tuple([rung for rung in _channels_of(alert, draft.policy) if _usable(alert, rung)])
    _climb(draft, alert, alert.message, usable, alert.told, alert.told_at)


def _channels_of(alert: Alert, policy: Policy) -> tuple[Rung, ...]:
    """Her sockets first, the ladder, and what brought her the alert before the kind and its ladder changed.

    Also where the ladder has them later: an SMS that is delivered would else leave a device that shows the
    alert without a word.
    """
    ladder = policy.ladder
    on_ladder = [rung.channel for rung in ladder]
    if on_ladder[0] != "websocket":
        ladder = (Rung("websocket", 0), *[rung for rung in ladder if rung.channel != "websocket"])
    for note in alert.notes:
        if note.channel != "websocket" and note.channel not in on_ladder:
            on_ladder.append(note.channel)
            ladder = (*ladder, Rung(note.channel, policy.ladder[-1].after_s))
    return ladder


def _usable(alert: Alert, rung: Rung) -> bool:
    """Her sockets always; elsewhere where the alert itself may have gone (what becomes of it is awaited)."""
    if rung.channel == "websocket":
        return True
    brought = _brought(alert, rung.channel)
    if brought is None or brought.pending or _expired_told(alert):
        return False
    return not _says_it(alert, brought)


def _says_it(alert: Alert, brought: Note) -> bool:
    """The alert itself, where it was requested after the update was decided: it says what is so then."""
    return alert.told == "update" and alert.told_at < brought.at and brought.state != "failed"


def _brought(alert: Alert, channel: str) -> Note | None:
    """The alert's own notification over ``channel``, unless it certainly never went out."""
    notes = [note for note in alert.notes if note.purpose == "alert" and note.channel == channel]
    return next((note for note in notes if not note.unsent), None)


def _expired_told(alert: Alert) -> bool:
    """An expired alert that is told to stop is told on her sockets only."""
    return alert.expired_at is not None


def _climb(
    draft: Draft, alert: Alert, message: int, ladder: tuple[Rung, ...], purpose: e.Purpose, since: int
) -> None:
    """Each rung at its own time; at once when all before it failed definitely (the first one: at once)."""
    failed, notes = True, alert.notes
    for rung in ladder:
        channel, tried = rung.channel, None
        for note in notes:
            if note.channel == channel and note.message == message:
                tried = note
        if tried is not None:
            failed = failed and tried.unsent
            continue
        due = since if failed else since + rung.after_s * 1000
        if due <= draft.at:
            request(draft, alert.n, channel, purpose)
        elif draft.rung_at is None or due < draft.rung_at:
            draft.rung_at = due
        failed = False


def socket_appeared(draft: Draft, n: int) -> None:
    """A socket that appears is told what her device does not have: the alert, or the last message."""
    alert = draft.state.alert(n)
    if draft.state.paused:
        return
    if alert.open and draft.state.state == "open" and _failed(alert, 1):
        request(draft, n, "websocket", "alert")
    unheard = alert.told != "alert" and alert.heard != alert.message
    if unheard and _failed(alert, alert.message) and still_true(draft.state, alert):
        request(draft, n, "websocket", alert.told)
    if alert.state == "stood_down" and not alert.may_know:
        # Nothing had reached her, but this device may have read it between its coming and the stand-down.
        request(draft, n, "websocket", "stand_down")


def _failed(alert: Alert, message: int) -> bool:
    """Whether the last that was tried on her sockets to bring her this message has failed."""
    for note in reversed(alert.notes):
        if note.channel == "websocket" and note.message == message:
            return note.state == "failed"
    return False
