"""What a control room, or the service itself, does to an incident."""

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.lifecycle import INCIDENT, SAME, Refusal
from dispatch.core.policy import digest
from dispatch.core.stand_down import call_back, hold, stop
from dispatch.core.timers import close as close_incident
from dispatch.core.waves import move

REOPEN_WITHIN_MS = 24 * 3600 * 1000
HELD_AT_OPENING: tuple[e.Hold, ...] = ("hazard", "code", "stale", "position", "paused")


def holds_at_opening(command: c.Open) -> tuple[e.Hold, ...]:
    """Every reason for which the incident is held from the start."""
    stale = command.at - command.called_at > command.policy.stale_after_s * 1000
    standing = {
        "hazard": command.hazard != "none",
        "code": command.never_alert,
        "stale": stale,
        "position": not command.position_good,
        "paused": command.paused,
    }
    return tuple(reason for reason in HELD_AT_OPENING if standing[reason])


def takes(draft: Draft, column: str) -> bool:
    """Whether the incident's state takes such a command and may change by it. Raises Refused."""
    cell = INCIDENT[draft.state.state][column]
    if isinstance(cell, Refusal):
        raise c.Refused(cell.code)
    return cell is not SAME


def update(draft: Draft, command: c.Update) -> None:
    if not takes(draft, "update") or not command.fields:
        return
    ambulance_was = draft.state.ambulance_arrived_at
    draft.emit(
        e.IncidentUpdated,
        fields=command.fields,
        kind=command.kind,
        policy=None if command.kind is None else digest(command.policy),
        priority=command.priority,
        setting=command.setting,
        hazard=command.hazard,
        ambulance_due_at=command.ambulance_due_at,
        ambulance_arrived_at=command.ambulance_arrived_at,
    )
    _hold_or_release(draft, command)
    if draft.state.ambulance_arrived_at is not None and ambulance_was is None:
        stop(draft, "ambulance")
    if {"kind", "setting"} & set(command.fields):
        _stand_down_unfit(draft, command)
    if "position" in command.fields:
        move(draft, {one.n: one.eta_s for one in command.standing if one.eta_s is not None})


def _hold_or_release(draft: Draft, command: c.Update) -> None:
    add: list[e.Hold] = []
    drop: list[e.Hold] = []
    if command.hazard == "none":
        drop += ["hazard", "unsafe"]
    elif command.hazard is not None:
        add.append("hazard")
    if command.never_alert:
        add.append("code")
    elif command.never_alert is not None or command.kind is not None:
        drop.append("code")
    if command.position_good:
        drop.append("position")
    if command.hazard == "block" and "hazard" in draft.state.held_for:
        call_back(draft, "unsafe")
    if command.never_alert and "code" in draft.state.held_for:
        call_back(draft, "changed")
    hold(draft, add=tuple(add), drop=tuple(drop))


def _stand_down_unfit(draft: Draft, command: c.Update) -> None:
    unfit = {standing.n for standing in command.standing if not standing.fits}
    for alert in draft.state.alerts:
        if alert.open and alert.n in unfit:
            draft.emit(e.AlertStoodDown, n=alert.n, reason="changed")


def more(draft: Draft, command: c.More) -> None:
    if takes(draft, "more"):
        draft.emit(e.MoreRequested, count=command.count)
        hold(draft, drop=("stale", "position"))


def enough(draft: Draft) -> None:
    if takes(draft, "enough") and not draft.state.enough:
        draft.emit(e.EnoughSaid)
        stop(draft, "covered")


def pause(draft: Draft) -> None:
    if takes(draft, "pause"):
        hold(draft, add=("paused",))


def resume(draft: Draft) -> None:
    """An ended incident is paused too, while stand-downs are still owed."""
    hold(draft, drop=("paused",))


def cancel(draft: Draft) -> None:
    if takes(draft, "cancel"):
        draft.emit(e.IncidentCancelled)
        stop(draft, "cancelled")


def close(draft: Draft) -> None:
    if takes(draft, "close"):
        close_incident(draft)


def reopen(draft: Draft) -> None:
    """Within 24 h of the end; what it was held for, except ``stale``, holds again."""
    if not takes(draft, "reopen"):
        return
    ended_at = draft.state.ended_at
    if ended_at is not None and draft.at - ended_at > REOPEN_WITHIN_MS:
        raise c.Refused("ended")
    again = tuple(reason for reason in draft.state.held_for if reason != "stale")
    draft.emit(e.IncidentReopened)
    hold(draft, add=again)
