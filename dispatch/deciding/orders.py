"""How reports, changes and outcomes become commands: what the decision needs is looked up here."""

from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from dispatch import fault_points
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import Policy, digest
from dispatch.core.waves import requirements
from dispatch.deciding.live import Live, MakeCommand, MakeDetails, Situation
from dispatch.records import Change, Details, Medic, NewIncident
from dispatch.roster.roster import Roster

PLACE = ("position", "address")
"""Either may end a hold for ``position``."""
STATED = ("priority", "setting", "ambulance_due_at", "ambulance_arrived_at")
"""Fields of a change that are the incident's as they are given."""


def position_good(details: Details, policy: Policy) -> bool:
    """Accurate enough to send somebody to, or with an address."""
    accuracy_m = details.position.accuracy_m
    # Blanks are what some systems fill a field with.
    named = bool(details.address and details.address.strip())
    return named or accuracy_m is None or accuracy_m <= policy.accuracy_m_max


def opening(
    new: NewIncident, key_id: str, policy: Policy, paused: Callable[[], bool] = lambda: False
) -> MakeCommand:
    """``paused``: whether the service sends nothing at the moment of the decision."""

    def make(now: Situation) -> c.Command:
        return c.Open(
            at=now.at,
            by="control_room",
            key=key_id,
            policy=policy,
            reference=new.reference,
            kind=new.kind,
            priority=policy.priority if new.priority is None else new.priority,
            setting=new.setting,
            drill=new.drill,
            hazard=new.hazard,
            called_at=now.at if new.called_at is None else new.called_at,
            ambulance_due_at=new.ambulance_due_at,
            position_good=position_good(new.details, policy),
            never_alert=new.never_alert,
            paused=paused(),
        )

    return make


def updating(given: Change, key_id: str, roster: Roster, policy: Policy | None) -> MakeCommand:
    """``policy``: the new kind's, where the kind changes; its priority too, unless one is given."""

    def make(now: Situation) -> c.Command:
        change = _what_is_new(given, policy, now)
        rules = policy or now.rules
        priority = change.priority
        if policy is not None and priority is None and change.kind not in (None, now.now.kind):
            priority = policy.priority
        command = c.Update(
            at=now.at,
            by="control_room",
            key=key_id,
            policy=rules,
            fields=change.fields,
            kind=change.kind,
            never_alert=change.never_alert,
            priority=priority,
            setting=change.setting,
            hazard=change.hazard,
            ambulance_due_at=change.ambulance_due_at,
            ambulance_arrived_at=change.ambulance_arrived_at,
            position_good=bool({"position", "address"} & set(change.fields))
            and position_good(now.place, rules),
        )
        if {"position", "kind", "setting"} & set(change.fields):
            return replace(command, standing=_standing(now, command, roster))
        return command

    return make


def _what_is_new(given: Change, policy: Policy | None, now: Situation) -> Change:
    """Without what is given as it is already.

    Systems that write their whole record at each key would else have every phone ring for nothing. A hazard
    counts always, and so does what may end a hold: a place, a kind or a code. With another kind its
    priority does, or the kind's own would take its place.
    """
    state = now.now
    old = {name: getattr(state, name) == getattr(given, name) for name in STATED}
    old["priority"] &= given.kind in (None, state.kind)
    if now.before is not None:
        counts = PLACE if "position" in state.held_for else ()
        for name in given.details.__struct_fields__:
            old[name] = name not in counts and getattr(now.before, name) == getattr(given.details, name)
    if policy is not None and not given.never_alert and "code" not in state.held_for:
        old["kind"] = old["code"] = given.kind == state.kind and digest(policy) == state.policy
    gone = {name for name in given.fields if old.get(name)}
    if not gone:
        return given
    none = {name: None for name in gone if name in (*STATED, "kind")}
    never_alert = None if "kind" in gone else given.never_alert
    fields = tuple(name for name in given.fields if name not in gone)
    return replace(given, fields=fields, never_alert=never_alert, **none)


def changed_by(change: Change) -> MakeDetails:
    """The personal side that a correction leaves."""

    def made(now: Details | None) -> Details:
        return change.details if now is None else change.onto(now)

    return made


def _standing(now: Situation, command: c.Update, roster: Roster) -> tuple[c.Standing, ...]:
    """How each medic who is still alerted stands to the incident as it will be."""
    state = now.now
    search = requirements(
        command.policy,
        setting=command.setting or state.setting,
        drill=state.drill,
        priority=state.priority if command.priority is None else command.priority,
    )
    at = now.place.position
    found = []
    for alert in state.alerts:
        medic_id = now.live.medic_of(alert.n)
        if medic_id is None or not (alert.open or alert.engaged):
            continue
        hers = roster.standing(medic_id, search, lat=at.lat, lon=at.lon, at=now.at)
        if hers is not None:
            metres, seconds, fits = hers
            found.append(c.Standing(alert.n, seconds, metres, fits))
    return tuple(found)


def eta_s(medic_id: str, roster: Roster, now: Situation) -> int | None:
    """Her travel time from where she is; None where that is not known."""
    if now.details is None:
        return None
    at = now.details.position
    way = roster.eta(medic_id, lat=at.lat, lon=at.lon, at=now.at, fix_stale_s=now.rules.fix_stale_s)
    return None if way is None else way[1]


def engaged_elsewhere(live: Live, medic_id: str, roster: Roster) -> bool:
    """Accepted or arrived on another real incident."""
    return any(
        held.engaged and not held.drill and held.incident_id != live.id for held in roster.held(medic_id)
    )


def answering(
    live: Live, medic_id: str, n: int, answer: e.Answer, channel: str | None, roster: Roster
) -> MakeCommand:
    """What the medic of alert ``n`` says, with how far she is and what else she has at that moment."""

    def make(now: Situation) -> c.Command:
        _ensure_hers(now, n, medic_id)
        medic = roster.get(medic_id)
        return c.GiveAnswer(
            at=now.at,
            by="medic",
            policy=now.rules,
            n=n,
            answer=answer,
            channel=channel,
            eta_s=eta_s(medic_id, roster, now) if answer == "accept" else None,
            engaged=engaged_elsewhere(live, medic_id, roster),
            suspended=medic is not None and medic.suspended,
        )

    return make


def seeing(medic_id: str, n: int, channel: str) -> MakeCommand:
    """The medic of alert ``n`` opened it."""

    def make(now: Situation) -> c.Command:
        _ensure_hers(now, n, medic_id)
        return c.See(at=now.at, by="medic", policy=now.rules, n=n, channel=channel)

    return make


def arriving(medic_id: str, n: int) -> MakeCommand:
    """The medic of alert ``n`` is there, by her position."""

    def make(now: Situation) -> c.Command:
        _ensure_hers(now, n, medic_id)
        return c.GiveAnswer(at=now.at, policy=now.rules, n=n, answer="arrived", channel=None)

    return make


def _ensure_hers(now: Situation, n: int, medic_id: str) -> None:
    """What the database has lost since she spoke is not taken for the alert that has its number now."""
    if not now.live.is_hers(n, medic_id):
        raise LookupError("no such alert")


def settling(
    n: int,
    k: int,
    result: Literal["sent", "delivered", "failed"],
    *,
    reason: str = "",
    definite: bool = False,
    by: e.By = "provider",
) -> MakeCommand:
    """What became of notification ``k`` of alert ``n``."""

    def make(now: Situation) -> c.Command:
        if now.live.note(n, k) is None:  # lost, and not one that is being requested beside this
            raise LookupError("no such notification")
        return c.Settle(
            at=now.at, by=by, policy=now.rules, n=n, k=k, result=result, reason=reason, definite=definite
        )

    return make


def pausing(now: Situation) -> c.Command:
    return c.Pause(at=now.at, policy=now.rules)


def resuming(now: Situation) -> c.Command:
    return c.Resume(at=now.at, policy=now.rules)


def why_left(medic: Medic) -> Literal["suspended", "opted_out"] | None:
    """Why she is to hold no open alert; None: she may."""
    if medic.suspended:
        return "suspended"
    return None if medic.available else "opted_out"


def leaving(n: int, why: Literal["suspended", "opted_out", "deleted"]) -> MakeCommand:
    """The medic of alert ``n`` is no longer to be had."""
    by: e.By = "control_room" if why == "suspended" else "medic"
    return lambda now: c.Leave(at=now.at, by=by, policy=now.rules, n=n, why=why)


def tick(now: Situation) -> c.Command:
    """Its time has come, or what was decided at such a moment is not known."""
    fault_points.reached("in_tick")
    return c.Tick(at=now.at, policy=now.rules)
