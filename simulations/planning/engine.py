"""One policy on one replication's calls: the service's own decisions on a virtual clock.

What the service's loop does with tasks, sockets and timers is done here with one heap of things to come: the
service's own ``Planner`` decides, its ``Memory`` follows, the roster knows who is taken. No rule stands here.
The world says what medics truly do; the core is told what the service would be told.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import Policies
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live, MakeCommand, Order
from dispatch.deciding.memory import Memory
from dispatch.deciding.orders import answering, changed_by, opening, settling, updating
from dispatch.deciding.plan import NotLocked, Part, Plan, Planner
from dispatch.records import Change, NewIncident, Record
from dispatch.roster.roster import Roster
from simulations.behaviour import Plan as Conduct

ROOM, KEY, NODE = "room", "planner", "planner"
CHANNEL = "websocket"
"""Over which medics answer."""
KEPT_MS = 3_600_000
"""How long an incident that has ended is kept for what medics still say, as the service keeps it."""


class Asked(NamedTuple):
    """An alert to a medic, for the ``nth`` time (0 first) for this incident."""

    medic_id: str
    nth: int
    distance_m: int
    eta_s: int

    @property
    def usual_s(self) -> int:
        """What her `Conduct.travel_s` is a multiple of: the travel time that she was asked with, never 0."""
        return max(1, self.eta_s)


class Medics(Protocol):
    """How medics act on alerts."""

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Conduct]:
        """What each of a wave will do about call ``number``, in the same order."""
        ...


class Watch(Protocol):
    """A tracker: it is told of what happens, and never steers."""

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None: ...

    def answered(
        self, number: int, at: int, n: int, medic_id: str, answer: e.Answer, refused: c.Refused | None
    ) -> None:
        """She has answered alert ``n``. With an accept that is not refused she sets out."""
        ...

    def arrived(self, number: int, at: int, medic_id: str) -> None:
        """She truly is there, whether she says so or not."""
        ...


class Errand:
    """What one alert makes a medic do. ``stopped``: she was told to stop, or not to come."""

    __slots__ = ("alerted", "conduct", "medic_id", "n", "stopped", "usual_s")

    def __init__(self, n: int, asked: Asked, conduct: Conduct) -> None:
        self.n, self.medic_id, self.usual_s, self.conduct = n, asked.medic_id, asked.usual_s, conduct
        self.alerted = self.stopped = False


class Case:
    """A call and its incident. ``timer_at``: the only tick that counts, others have been overtaken."""

    __slots__ = ("ended", "errands", "live", "number", "timer_at")

    def __init__(self, number: int, live: Live) -> None:
        self.number, self.live = number, live
        self.errands: dict[int, Errand] = {}
        self.timer_at: int | None = None
        self.ended = False


class Engine:
    """``roster`` has its medics. ``deliver_ms``: by channel, from a request to its being on the phone."""

    def __init__(
        self,
        *,
        roster: Roster,
        policies: Policies,
        medics: Medics,
        watch: Watch,
        deliver_ms: Mapping[str, int],
    ) -> None:
        self._roster, self._policies, self._medics, self._watch = roster, policies, medics, watch
        self._deliver_ms = deliver_ms
        digit_pairs = DigitPairs()
        self._planner = Planner(roster, digit_pairs)
        self._memory = Memory(load=_no_store, loaded=_ignore, roster=roster, digit_pairs=digit_pairs)
        self._cases: dict[str, Case] = {}
        self._to_come: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._nth = 0
        self.now = 0

    # --- the clock

    def at(self, when: int, do: Callable[..., None], *about: Any) -> None:
        """Does it then (ms); of things at one moment, what was said first comes first."""
        self._nth += 1
        heapq.heappush(self._to_come, (when, self._nth, do, about))

    def _after(self, seconds: float, do: Callable[..., None], *about: Any) -> None:
        self.at(self.now + round(1000 * seconds), do, *about)

    def run(self) -> None:
        """Until nothing is left to come. Every incident has ended then, and nobody holds an alert."""
        to_come = self._to_come
        while to_come:
            self.now, _, do, about = heapq.heappop(to_come)
            do(*about)

    # --- the control room

    def report(self, number: int, incident_id: str, new: NewIncident) -> None:
        """Call ``number`` is reported now."""
        case = self._cases[incident_id] = Case(number, self._memory.begin(incident_id, ROOM))
        policy = self._policies[new.kind]
        self._carry_out(case, Order(opening(new, KEY, policy), details=lambda _: new.details, policy=policy))

    def change(self, incident_id: str, change: Change) -> None:
        """The control room corrects it, as long as it lives. Not its kind, which would bring a policy."""
        if (case := self._cases.get(incident_id)) is not None:
            make = updating(change, KEY, self._roster, None)
            self._carry_out(case, Order(make, details=changed_by(change)))

    def close(self, incident_id: str) -> None:
        """Nothing where it has closed by itself long ago."""
        if (case := self._cases.get(incident_id)) is not None:
            self._do(case, lambda now: c.Close(at=now.at, by="control_room", key=KEY, policy=now.rules))

    # --- deciding

    def _do(self, case: Case, make: MakeCommand) -> c.Refused | None:
        """Why the core did not take it, or None. What comes when the incident is forgotten comes too late."""
        if case.live.id not in self._cases:
            return c.Refused("ended")
        return self._carry_out(case, Order(make))

    def _carry_out(self, case: Case, *orders: Order) -> c.Refused | None:
        """Why the core did not take the last of them that it did not take, or None."""
        plan = self._plan(case.live, orders)
        refused = None
        for refusal in plan.refused.values():
            if not isinstance(refusal, c.Refused):
                raise refusal
            refused = refusal
        self._keep(plan)
        return refused

    def _plan(self, live: Live, orders: tuple[Order, ...]) -> Plan:
        locked = {live.id: live}
        while True:
            try:
                return self._planner.plan(locked, live, orders, self.now)
            except NotLocked as missing:
                locked |= {one: self._cases[one].live for one in missing.incident_ids}

    def _keep(self, plan: Plan) -> None:
        """As the service after a commit: memory first, then the reactions."""
        for part in plan.parts.values():
            if part.events:
                self._memory.follow(part, 0, NODE)
                self._memory.follow_claims(part)
            elif part.live.record is not None:  # a look that found nobody moved the next look
                part.live.follow(part.record(0, NODE), (), quiet_until=part.quiet_until)
        if plan.taken:
            self._roster.give_back(plan.taken)
        for part in plan.parts.values():
            case = self._cases[part.live.id]
            if part.events:
                self._react(case, part)
            self._set_timer(case)

    def _set_timer(self, case: Case) -> None:
        record = case.live.record
        assert record is not None
        if record.due_at != case.timer_at:
            case.timer_at = record.due_at
            if record.due_at is not None:
                self.at(record.due_at, self._tick, case, record.due_at)
        if not (record.state.live or case.ended):
            case.ended = True
            self.at(self.now + KEPT_MS, self._forget, case)

    def _tick(self, case: Case, due_at: int) -> None:
        if case.timer_at == due_at:
            case.timer_at = None
            self._do(case, lambda now: c.Tick(at=now.at, policy=now.rules))

    def _forget(self, case: Case) -> None:
        self._memory.drop(case.live)
        del self._cases[case.live.id]

    # --- the phones

    def _react(self, case: Case, part: Part) -> None:
        assert case.live.record is not None
        self._watch.committed(case.number, self.now, case.live.record, part.events)
        asked: list[e.AlertRequested] = []
        sent: dict[str, list[e.NotificationRequested]] = {}
        for event in part.events:
            if type(event) is e.AlertRequested:
                asked.append(event)
            elif type(event) is e.NotificationRequested:
                sent.setdefault(event.channel, []).append(event)
        for channel, notes in sent.items():
            self.at(self.now + self._deliver_ms[channel], self._delivered, case, notes)
        if asked:
            self._prepare(case, asked)

    def _prepare(self, case: Case, alerts: Sequence[e.AlertRequested]) -> None:
        asked = [self._asked(case, alert) for alert in alerts]
        conducts = self._medics.conduct(case.number, asked, self.now)
        for alert, to_her, conduct in zip(alerts, asked, conducts, strict=True):
            case.errands[alert.n] = Errand(alert.n, to_her, conduct)

    def _asked(self, case: Case, alert: e.AlertRequested) -> Asked:
        nth = 0
        if alert.first != alert.n:
            assert case.live.record is not None
            before = case.live.record.state.alerts[: alert.n - 1]
            nth = sum(one.first == alert.first for one in before)
        one = case.live.by_n[alert.n]
        return Asked(one.medic_id, nth, one.distance_m, alert.eta_s)

    def _delivered(self, case: Case, notes: Sequence[e.NotificationRequested]) -> None:
        """What went out in one moment is there in one moment, and decided together, as the service would."""
        for note in notes:
            if note.purpose == "stand_down":
                case.errands[note.n].stopped = True
        if case.live.id in self._cases:
            self._carry_out(
                case, *[Order(settling(note.n, note.k, "delivered", by="medic")) for note in notes]
            )
        for note in notes:
            errand = case.errands[note.n]
            if note.purpose == "alert" and not (errand.alerted or errand.stopped):
                errand.alerted = True
                conduct = errand.conduct
                if conduct.notice_s is not None:
                    self._after(conduct.notice_s, self._sees, case, errand)
                if conduct.answer_s is not None:
                    self._after(conduct.answer_s, self._answers, case, errand)

    # --- the medics

    def _sees(self, case: Case, errand: Errand) -> None:
        if not errand.stopped:
            self._do(
                case,
                lambda now: c.See(at=now.at, by="medic", policy=now.rules, n=errand.n, channel=CHANNEL),
            )

    def _answers(self, case: Case, errand: Errand) -> None:
        conduct = errand.conduct
        if errand.stopped or conduct.answer is None:
            return
        if self._says(case, errand, conduct.answer) is not None or conduct.answer == "decline":
            errand.stopped = True
            return
        travel_s = conduct.travel_s(errand.usual_s)
        if conduct.arrives:
            self._after(travel_s, self._arrives, case, errand)
        elif conduct.after == "withdraws":
            self._after(travel_s * conduct.gives_up_share, self._withdraws, case, errand)

    def _arrives(self, case: Case, errand: Errand) -> None:
        if not errand.stopped:  # else she has turned back
            self._watch.arrived(case.number, self.now, errand.medic_id)
            self._says(case, errand, "arrived")
            self._after(errand.conduct.on_scene_s, self._finishes, case, errand)

    def _finishes(self, case: Case, errand: Errand) -> None:
        if not errand.stopped:
            self._says(case, errand, "finished")

    def _withdraws(self, case: Case, errand: Errand) -> None:
        if not errand.stopped:
            errand.stopped = True
            self._says(case, errand, "decline")

    def _says(self, case: Case, errand: Errand, answer: e.Answer) -> c.Refused | None:
        make = answering(case.live, errand.medic_id, errand.n, answer, CHANNEL, self._roster)
        refused = self._do(case, make)
        self._watch.answered(case.number, self.now, errand.n, errand.medic_id, answer, refused)
        return refused


async def _no_store(_: str) -> Record | None:
    return None


def _ignore(_: Live, doubt: bool) -> None:
    """Nothing is ever loaded."""
