"""One incident driven through the core as the dispatcher drives it: pretend medics, moved time, nothing else.

Every decision is made twice and must come out the same, its events must lead from the state before to the
state after, through their JSON too, and the next tick must lie ahead. A refusal must leave all as it was.
What is unrealistic: the roster's part is a list searched from front to back, and sends are settled by hand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
import pytest
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import NOTHING_KNOWN, Decision, decide, go_on
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Alert, Incident
from dispatch.core.policy import Policy, Rung, Wave, shipped

START_MS = 1_700_000_000_000
TICKS_MAX = 5_000
E = TypeVar("E", bound=e.Event)

TRAUMA = shipped()["trauma"]

How = Callable[["Night"], None]
Watch = Callable[["Night", Incident | None, Decision], None]
"""Looks at each decision after it was taken: the night, the state before, the decision."""
Waves = Iterable[tuple[int, int]]
Ladder = Iterable[tuple[str, int]]


def a_policy(*, waves: Waves | None = None, ladder: Ladder | None = None, **keys: Any) -> Policy:
    """The shipped policy for ``trauma`` with some keys changed; three are asked, one is wanted."""
    if waves is not None:
        keys["waves"] = tuple(Wave(after_s, alerts) for after_s, alerts in waves)
    if ladder is not None:
        keys["ladder"] = tuple(Rung(channel, after_s) for channel, after_s in ladder)
    return replace(TRAUMA, **keys)


@dataclass
class Medic:
    """A pretend medic; ``free`` stands for all that makes her available."""

    id: str
    eta_s: int
    channels: tuple[str, ...] = ("websocket", "sms")
    free: bool = True
    fits: bool = True


def medics(count: int, *, eta_s: int = 60, step_s: int = 10) -> list[Medic]:
    """Medics ``step_s`` apart, the nearest at ``eta_s``; the n-th gets alert n."""
    return [Medic(f"medic-{i}", eta_s + i * step_s) for i in range(count)]


def holders(state: Incident | None, medic_of: Mapping[int, Medic]) -> set[str]:
    """Who has an open alert of the incident, or is engaged on it."""
    live = (alert for alert in state.alerts if alert.open or alert.engaged) if state else ()
    return {medic_of[alert.n].id for alert in live}


class Night:
    """``policy`` is the incident's; ``near`` the medics. ``report`` opens it; methods are commands."""

    watch: "Watch | None" = None
    thorough = True
    """Makes each decision twice, and sooner where it can be, and takes its events through JSON.

    Else that is left to the end.
    """

    def __init__(
        self, near: Iterable[Medic] | int = 10, *, policy: Policy | None = None, **keys: Any
    ) -> None:
        self.near = medics(near) if isinstance(near, int) else list(near)
        self.policy = policy or a_policy(**keys)
        self.at = START_MS
        self.state_or_none: Incident | None = None
        self.due_at: int | None = None
        self.quiet_until = NOTHING_KNOWN
        self.events: list[e.Event] = []
        self.last: tuple[e.Event, ...] = ()
        self.medic_of: dict[int, Medic] = {}
        self.looks = 0
        self.ticks = 0

    @property
    def state(self) -> Incident:
        assert self.state_or_none is not None, "not reported yet"
        return self.state_or_none

    # What happens to it

    def report(self, **about: Any) -> "Night":
        given: dict[str, Any] = {
            "reference": "R-1",
            "kind": "trauma",
            "priority": self.policy.priority,
            "setting": "public",
            "drill": False,
            "hazard": "none",
            "called_at": self.at,
            "ambulance_due_at": None,
            "position_good": True,
        }
        self.do(c.Open, by="control_room", **(given | about))
        return self

    def answer(self, n: int, answer: e.Answer, *, by: e.By = "medic", **about: Any) -> None:
        self.do(c.GiveAnswer, by=by, n=n, answer=answer, channel="websocket", **about)

    def accept(self, n: int, **about: Any) -> None:
        self.answer(n, "accept", **about)

    def see(self, n: int) -> None:
        self.do(c.See, by="medic", n=n, channel="websocket")

    def settle(
        self,
        n: int,
        result: Literal["sent", "delivered", "failed"],
        *,
        channel: str = "websocket",
        k: int = 0,
        **about: Any,
    ) -> None:
        """The outcome of notification ``k``, or of the newest of alert ``n`` over ``channel``."""
        k = k or max(note.k for note in self.alert(n).notes if note.channel == channel)
        self.do(c.Settle, by="provider", n=n, k=k, result=result, **about)

    def deliver(self, n: int, *, channel: str = "websocket") -> None:
        self.settle(n, "delivered", channel=channel)

    def lose(self, n: int) -> None:
        """Every rung fails definitely, as each is tried."""
        while under_way := [x.k for x in self.alert(n).notes if x.state in ("requested", "sent")]:
            self.settle(n, "failed", k=under_way[0], definite=True)

    def socket(self, n: int) -> None:
        self.do(c.SocketAppeared, by="medic", n=n)

    def leave(self, n: int, why: Literal["suspended", "opted_out", "deleted", "engaged"]) -> None:
        self.do(c.Leave, by="control_room" if why == "suspended" else "medic", n=n, why=why)

    def update(self, *also: str, **about: Any) -> None:
        """``also`` names what changed beside ``about`` and decides nothing by itself."""
        given = tuple(name for name in about if name not in ("position_good", "never_alert", "standing"))
        self.do(c.Update, by="control_room", fields=also + given, **about)

    def change_kind(self, policy: Policy, **about: Any) -> None:
        """To the kind ``other``, of this policy."""
        self.policy = policy
        self.update(kind="other", standing=self.standing(), **about)

    def move(self, eta_s: Mapping[int, int] | None = None, **about: Any) -> None:
        """The incident moves; by alert number, how long its medic now takes."""
        for n, now_s in (eta_s or {}).items():
            self.medic_of[n].eta_s = now_s
        self.update("position", standing=self.standing(), **about)

    def standing(self) -> tuple[c.Standing, ...]:
        """How everyone still alerted stands to it now."""
        live = [alert for alert in self.state.alerts if alert.open or alert.engaged]
        hers = [(alert.n, self.medic_of[alert.n]) for alert in live]
        return tuple(c.Standing(n, medic.eta_s, medic.eta_s * 2, medic.fits) for n, medic in hers)

    def more(self, count: int = 1) -> None:
        self.do(c.More, by="control_room", count=count)

    def enough(self) -> None:
        self.do(c.Enough, by="control_room")

    def pause(self) -> None:
        self.do(c.Pause)

    def resume(self) -> None:
        self.do(c.Resume)

    def cancel(self) -> None:
        self.do(c.Cancel, by="control_room")

    def close(self) -> None:
        self.do(c.Close, by="control_room")

    def reopen(self) -> None:
        self.do(c.Reopen, by="control_room")

    def tick(self) -> None:
        self.do(c.Tick)

    def wait(self, seconds: float) -> None:
        """Moves time, with each tick that is owed on the way."""
        until = self.at + round(seconds * 1000)
        for _ in range(TICKS_MAX):
            if self.due_at is None or self.due_at > until:
                self.at = until
                return
            self.at = self.due_at
            self.ticks += 1
            self.tick()
        raise AssertionError(f"more than {TICKS_MAX} ticks in {seconds} s")

    def skip(self, seconds: float) -> None:
        """Moves time without a tick, as a node that was down would."""
        self.at += round(seconds * 1000)

    # What became of it

    def alert(self, n: int) -> Alert:
        return self.state.alert(n)

    def states(self) -> list[str]:
        return [alert.state for alert in self.state.alerts]

    def reasons(self) -> list[str | None]:
        return [alert.reason for alert in self.state.alerts]

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def now(self, kind: type[E]) -> list[E]:
        """Those of the last decision."""
        return [event for event in self.last if isinstance(event, kind)]

    def asked(self) -> list[str]:
        """Whom each alert went to, in order."""
        return [medic.id for medic in self.medic_of.values()]

    def requests(self, n: int, purpose: e.Purpose) -> list[tuple[str, float]]:
        """The notifications requested for alert ``n``: channel, and seconds since the report."""
        return [
            (event.channel, (event.at - START_MS) / 1000)
            for event in self.all(e.NotificationRequested)
            if event.n == n and event.purpose == purpose
        ]

    # The dispatcher's part

    def do(self, kind: type[c.Command], /, *, by: e.By = "timer", **about: Any) -> Decision:
        key = "key-1" if by == "control_room" else None
        command = kind(at=self.at, by=by, key=key, policy=self.policy, **about)
        before = self.state_or_none
        decision = self.decide(before, command)
        if decision.search is not None:
            self.looks += 1
            question, command = decision, replace(command, candidates=self.find(decision.search))
            decision = self.decide(before, command)
            assert decision.search is None, "candidates were given, and it asks for them again"
            if self.thorough:
                assert go_on(question, before, command) == decision, "going on, it decides otherwise"
                assert go_on(question, before, command) == decision, "it goes on once only"
        elif self.thorough and before is not None:
            assert decide(before, command, quiet_until=self.quiet_until) == decision, (
                "sooner, it decides otherwise"
            )
        self._keep(decision)
        if self.watch is not None:
            self.watch(self, before, decision)
        return decision

    def decide(self, before: Incident | None, command: c.Command) -> Decision:
        return decide_checked(before, command) if self.thorough else decide(before, command)

    def find(self, search: c.Search) -> tuple[c.Candidate, ...]:
        """As the roster: the best; where fewer new ones may be found than wanted, all of ``again``."""
        firsts: dict[str, int] = {}
        for n, medic in self.medic_of.items():
            firsts.setdefault(medic.id, n)
        busy = holders(self.state_or_none, self.medic_of)
        here = [m for m in self.near if m.free and m.fits and m.id not in busy and m.eta_s <= search.reach_s]
        here = [m for m in here if set(m.channels) & set(search.channels)]
        here.sort(key=lambda medic: (medic.eta_s, medic.id))
        new = [m for m in here if m.id not in firsts][: min(search.count, search.new_max)]
        again = [m for m in here if firsts.get(m.id, 0) in search.again]
        found = sorted(new + again, key=lambda medic: (medic.eta_s, medic.id))
        if search.new_max >= search.count:
            found = found[: search.count]
        return tuple(self._candidate(medic, search, firsts.get(medic.id)) for medic in found)

    def _candidate(self, medic: Medic, search: c.Search, first: int | None) -> c.Candidate:
        channels = tuple(channel for channel in search.channels if channel in medic.channels)
        return c.Candidate(medic.id, medic.eta_s * 2, medic.eta_s, channels, first)

    def _keep(self, decision: Decision) -> None:
        by_id = {medic.id: medic for medic in self.near}
        for n, candidate in decision.asked:
            self.medic_of[n] = by_id[candidate.medic_id]
        self.state_or_none, self.due_at = decision.state, decision.due_at
        self.quiet_until = decision.quiet_until
        self.last = decision.events
        self.events += decision.events


@contextmanager
def refused(night: Night, code: str) -> Iterator[None]:
    """What is done within is refused with this word, and changes nothing."""
    before, events = night.state, len(night.events)
    with pytest.raises(c.Refused) as refusal:
        yield
    assert refusal.value.code == code
    assert night.state == before
    assert len(night.events) == events


def outcome(night: Night, do: How, state: Callable[[], str]) -> str:
    """The state after it, or the refusal as the contract words it."""
    try:
        do(night)
    except c.Refused as refused:
        return f"409 {refused.code}"
    return state()


def decide_checked(state: Incident | None, command: c.Command) -> Decision:
    """``decide``, with what holds of every decision held against it."""
    given = msgspec.msgpack.encode(state)
    try:
        decision = decide(state, command)
    finally:
        assert msgspec.msgpack.encode(state) == given, "the state that it was given has changed"
    again = decide(state, command)
    assert (again.events, again.state, again.due_at) == (decision.events, decision.state, decision.due_at)
    at = max(command.at, state.at if state else command.at)
    assert decision.due_at is None or decision.due_at > at, "a tick owed in the past"
    assert all(event.at == at for event in decision.events), "one decision, one time"
    if decision.events:
        stored = [e.decode(e.encode(event)) for event in decision.events]
        assert evolve_all(state, stored) == decision.state, "the state is what its events say"
    else:
        assert decision.state == state, "a change without an event"
    return decision
