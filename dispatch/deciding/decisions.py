"""The loop: an order is made into a command, decided, appended, and only then reacted to.

Orders for one incident wait in its own queue and are decided together; several incidents share a commit in
the appender, and where more of them wait than that, `turns.py` says which is next. Answers and receipts are
gathered for a moment first: the devices of one incident say the same within milliseconds, and what is decided
once is paid for once. Every public coroutine returns after the commit, or raises: Refused (the incident does
not take it), LookupError (no such thing, or another's), ReferenceTaken, KeyTaken, Unavailable (not known
whether written), Overloaded (too much waits: not written).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from dispatch import logs
from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import Policies
from dispatch.deciding.backlog import Backlog
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live, MakeCommand, Once, Order
from dispatch.deciding.memory import Memory
from dispatch.deciding.orders import changed_by, opening, tick, updating
from dispatch.deciding.plan import NotLocked, Part, Plan, Planner
from dispatch.deciding.ticks import Ticks
from dispatch.deciding.turns import Turns, still_wanted, together
from dispatch.deciding.unknown_outcomes import AGAIN_S, UnknownOutcomes
from dispatch.ids import RandBits, new_incident_id
from dispatch.metrics import Metrics
from dispatch.nodes.membership import Membership
from dispatch.records import Asked, Change, NewIncident, Record
from dispatch.roster.roster import Roster
from dispatch.store.appender import Appender
from dispatch.store.appends import ClaimConflict, Fenced, Remembered, SeqConflict, Unavailable
from dispatch.store.trouble import unavailable_in_trouble
from dispatch.tasks import Tasks

log = logs.logger(__name__)

CONFLICTS_MAX = 20
"""Conflicts after which an order is given up; each means that another decision was made, so none is near."""
KEEP_ENDED_MS = 3_600_000
"""How long an ended incident is kept in memory for devices that have not read their stand-down."""


class Decisions:
    """``react`` is told of every commit, once memory has followed it; ``prepare`` while it is under way, of
    what may be made ready for that: nothing of it is to be seen outside, since it may be refused.

    ``resume`` is told of every incident that was loaded, and may have something left to send; and whether
    this node may have decided what it does not know of. ``gone`` is told of every one that memory let go,
    ``lost`` of alerts that the database has lost. ``look_at_medics`` brings the roster up to date.
    """

    def __init__(
        self,
        *,
        appender: Appender,
        roster: Roster,
        clock: Clock,
        policies: Policies,
        load: Callable[[str], Awaitable[Record | None]],
        prepare: Callable[[Part], None],
        react: Callable[[Live, tuple[e.Event, ...]], None],
        resume: Callable[[Live, bool], None],
        gone: Callable[[Live], None],
        lost: Callable[[Record, list[Asked]], None],
        digit_pairs: DigitPairs,
        metrics: Metrics,
        membership: Membership,
        randbits: RandBits,
        paused: Callable[[], bool] = lambda: False,
        look_at_medics: Callable[[], Awaitable[None]],
    ) -> None:
        self._look_at_medics = look_at_medics
        self._appender, self._roster, self._clock = appender, roster, clock
        self._policies = policies
        self._randbits, self._paused = randbits, paused
        self._prepare, self._react, self._resume = prepare, react, resume
        self._metrics = metrics
        self._membership = membership
        self.backlog = Backlog()
        self._planner = Planner(roster, digit_pairs)
        self.memory = Memory(
            load=load,
            loaded=self._loaded,
            gone=gone,
            lost=lost,
            roster=roster,
            digit_pairs=digit_pairs,
        )
        membership.on_new_life.append(self.memory.doubt_all)
        self._ticks = Ticks(clock, lambda live: self._put(live, Order(tick)), self.ours)
        self._working = Tasks()
        self._turns = Turns(self._begin)
        self._unknown = UnknownOutcomes(self.memory, self.backlog, self._turns)
        self._closing = self._closed = False

    # --- what a control room asks

    async def open(
        self, room_id: str, key_id: str, new: NewIncident, remember: Callable[[str], Remembered] | None = None
    ) -> Record:
        """Opens an incident, with its first alerts; ``remember`` makes the idempotency row for its id."""
        self.backlog.ensure_room()
        live = self.memory.begin(new_incident_id(self._clock.now_ms(), self._randbits), room_id)
        policy = self._policies[new.kind]
        return await self._do(
            live,
            opening(new, key_id, policy, self._paused),
            details=lambda _: new.details,
            policy=policy,
            remember=remember(live.id) if remember else None,
        )

    async def update(
        self, incident_id: str, key_id: str, change: Change, remember: Remembered | None = None
    ) -> Record:
        policy = self._policies[change.kind] if change.kind is not None else None
        make = updating(change, key_id, self._roster, policy)
        live = await self._with_room(incident_id)
        return await self._do(live, make, details=changed_by(change), policy=policy, remember=remember)

    async def more(
        self, incident_id: str, key_id: str, count: int, remember: Remembered | None = None
    ) -> Record:
        return await self._do(
            await self._with_room(incident_id),
            lambda now: c.More(at=now.at, by="control_room", key=key_id, policy=now.rules, count=count),
            remember=remember,
        )

    async def command(
        self,
        incident_id: str,
        key_id: str,
        kind: type[c.Enough | c.Cancel | c.Close | c.Reopen],
        remember: Remembered | None = None,
    ) -> Record:
        """Enough, cancel, close or reopen."""
        return await self._do(
            await self._with_room(incident_id),
            lambda now: kind(at=now.at, by="control_room", key=key_id, policy=now.rules),
            remember=remember,
        )

    async def get(self, incident_id: str) -> Record | None:
        """The incident as last committed. Raises Unavailable."""
        try:
            live = await self.memory.live(incident_id)
        except LookupError:
            return None
        if live.record is None or live.stale:
            return await self.memory.read(incident_id)
        self.memory.let_go(live)
        return live.record

    # --- what medics and the service itself ask

    async def answer(self, incident_id: str, make: MakeCommand) -> Record:
        """Decides what a medic says, and returns after its commit."""
        live = await self.memory.live(incident_id)
        self.backlog.ensure_room(len(live.orders), answer=True)
        try:
            return await self._do(live, make, urgent=False)
        except c.Refused:
            if self.alone:
                raise
        # Another node may have decided what is not known here yet.
        return await self._do(await self.catch_up(incident_id), make, urgent=False)

    async def order(self, incident_id: str, make: MakeCommand) -> Record:
        """Decides a command that is never too much, and returns after its commit."""
        return await self._do(await self.memory.live(incident_id), make)

    def post(self, live: Live, make: MakeCommand, once: Once | None = None) -> None:
        """Decides a command in its turn; nobody waits, and it is not given up while the service runs.

        What is said ``once`` is a receipt or the like, and not urgent; nothing is done where the same waits.
        """
        if once is None or once not in live.waiting_once:
            self._put(live, Order(make, once=once, urgent=once is None))

    @property
    def alone(self) -> bool:
        """No other node decides, or has sockets."""
        return self._membership.alone

    def ours(self, live: Live) -> bool:
        """This node decided last about it, or took it over: it minds its time, and says what failed."""
        return live.record is not None and live.record.node == self._membership.id

    async def catch_up(self, incident_id: str) -> Live:
        """The incident as the store has it now: another node may have decided a moment ago.

        LookupError: there is none; Unavailable.
        """
        live = await self.memory.live(incident_id)
        async with live.lock:
            if live.record is not None:
                await self.memory.load_again(live)
                await self._see_who_left()
        return live

    def follow(self, records: Iterable[Record]) -> None:
        """What was read from the store since other nodes decided, or left it to this one."""
        for record in records:
            live = self.memory.get(record.id)
            if live is None:
                self.adopt(record)
            elif live.lock.locked():
                self._working.spawn(self._follow_in_turn(live, record))
            else:
                self.memory.follow_others(live, record)
                self.memory.let_go(live)

    async def undisturbed(self) -> None:
        """Returns when every decision that is being made at this moment is committed, or dropped."""
        for live in self.memory.all():
            if live.lock.locked():
                async with live.lock:
                    pass

    # --- the service's life

    def adopt(self, record: Record) -> None:
        """An incident found: its claims, its clock, and what it still has to tell."""
        self.memory.let_go(self.memory.adopt(record, doubt=False))

    def lives(self) -> Collection[Live]:
        return self.memory.all()

    def tick_all_due(self) -> None:
        """The clock was moved: timers that it has overtaken do not wait."""
        self._ticks.all_due(self.memory.all())

    def forget_ended(self) -> None:
        """Lets go of incidents that ended long ago, whoever may still have to be told."""
        self.memory.forget_ended(self._clock.now_ms() - KEEP_ENDED_MS)

    async def close(self) -> None:
        """No timer goes off any more; returns when all orders are committed. Later ones are Unavailable.

        What nobody waits for is given up where the database can not be reached: the next start finds it.
        """
        self._closing = True
        self._ticks.stop(self.memory.all())
        self._turns.hurry()
        await self._unknown.close()
        await self._working.join()
        self._closed = True

    @property
    def waiting(self) -> int:
        """Incidents with orders that are not committed yet."""
        return len(self._working) + self._turns.waiting

    @property
    def waits_s(self) -> float:
        """How long it takes to decide all that waits for its turn."""
        return self._turns.waits_s

    def late_ms(self) -> int:
        """How late the most overdue tick is."""
        return self._ticks.late_ms(self.memory.all())

    # --- orders

    async def _with_room(self, incident_id: str) -> Live:
        """The incident, for one more order of a control room. Raises LookupError, Unavailable, Overloaded."""
        # Nothing is refused, or found to be so already, by what another node has changed since.
        live = await (self.memory.live(incident_id) if self.alone else self.catch_up(incident_id))
        self.backlog.ensure_room(len(live.orders))
        return live

    async def _do(self, live: Live, make: MakeCommand, **about: Any) -> Record:
        done: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        self._put(live, Order(make, done=done, **about))
        return await done

    def _put(self, live: Live, order: Order) -> None:
        if self._closed:
            order.refuse(Unavailable("the service is stopping"))
            return
        live = self.memory.here(live)
        order.since = asyncio.get_running_loop().time()
        live.orders.append(order)
        self.backlog.add(1)
        if order.once is not None:
            live.waiting_once[order.once] = None
        if live.running:
            return
        if order.urgent or self._closing:
            self._turns.ask(live)
        else:
            self._turns.ask_soon(live)

    def _begin(self, live: Live) -> None:
        live.running = True
        # Told by the loop, and not in a ``finally``: where the loop has gone, no other turn is to begin.
        self._working.spawn(self._work(live)).add_done_callback(lambda _: self._turn_over(live))

    async def _work(self, live: Live) -> None:
        """Carries out the incident's orders until none is left, or others wait for their turn."""
        while live.orders:
            orders = together(live)
            try:
                if wanted := still_wanted(orders):
                    await self._carry_out(live, wanted)
            finally:
                self.backlog.done(len(orders))
            # Sockets and those who waited come before the next decision.
            await asyncio.sleep(0)
            if self._turns.others_wait:
                break

    def _turn_over(self, live: Live) -> None:
        live.running = False
        if live.orders:
            self._turns.ask(live)
        elif live.record is None:
            self.memory.drop(live)
        else:
            self.memory.let_go(live)
        self._turns.ended()

    async def _carry_out(self, live: Live, orders: list[Order]) -> None:
        """Every order is committed, or refused; where one spoils it for the others, each by itself."""
        try:
            await self._decide(live, orders)
        except Unavailable as unavailable:
            for order in orders:
                order.refuse(unavailable)
            if not self._closing:  # else the next start finds it
                await self._unknown.follow_up(live, orders)
        except Exception as error:
            if len(orders) > 1:
                for order in orders:
                    await self._carry_out(live, [order])
                return
            if orders[0].done is None and live.record is not None:
                log.error("order failed", incident_id=live.id, error=logs.describe(error))
                self._ticks.set(live, wait_s_min=AGAIN_S)
            orders[0].refuse(error)
        finally:
            # Where it is not known here whether it was opened, another node may know it, and who asks for it.
            live.opening = False

    async def _decide(self, live: Live, orders: list[Order]) -> None:
        ids, conflicts = {live.id}, 0
        while conflicts < CONFLICTS_MAX:
            locked: dict[str, Live] = {}
            try:
                try:
                    await self._lock(locked, live, ids)
                except LookupError:
                    if len(ids) == 1:
                        raise
                    # One of the others is lost, and with it what its medics held.
                    ids, conflicts = {live.id}, conflicts + 1
                    continue
                try:
                    plan = self._planner.plan(locked, live, orders, self._clock.now_ms())
                except NotLocked as missing:
                    ids |= missing.incident_ids
                    continue
                in_the_way = await self._keep(plan, live, orders)
                if not in_the_way:
                    return
                conflicts += 1
                ids |= in_the_way
            finally:
                for one in locked.values():
                    one.lock.release()
        raise Unavailable("too many conflicts")

    async def _keep(self, plan: Plan, live: Live, orders: list[Order]) -> set[str]:
        """Commits the plan and reacts to it; or gives the incidents to be loaded before it is made anew."""
        work = plan.append(orders)
        try:
            positions = {}
            if work.streams or work.remember:
                urgent = any(order.urgent for order in orders)
                asking = any(part.asked for part in plan.parts.values())
                meanwhile = partial(self._make_ready, plan) if asking else None
                positions = await self._appender.append(work, urgent=urgent, meanwhile=meanwhile)
            self._follow(plan, positions)
        except SeqConflict as conflict:
            return self.memory.doubt({conflict.incident_id})
        except ClaimConflict as conflict:
            return self.memory.doubt({claim.incident_id for claim in conflict.claims} or {live.id})
        except Fenced as fenced:
            # This life has ended: what it knew is read again before anything is decided on it.
            with unavailable_in_trouble():
                await self._membership.live_anew(str(fenced))
            return self.memory.doubt(plan.parts)
        except Unavailable:
            self.memory.unknown(plan.parts)
            for part in plan.parts.values():
                if part.live is not live and part.live.record is not None:
                    self._put(part.live, Order(tick))
            raise
        finally:
            self._roster.give_back(plan.taken)
            for part in plan.parts.values():
                part.live.ready.clear()
        for order in orders:
            refusal = plan.refused.get(order)
            if refusal is not None:
                order.refuse(refusal)
            elif live.record is not None:
                order.carried_out(live.record)
        return set()

    def _make_ready(self, plan: Plan) -> None:
        """While the database commits, this process has nothing else to do for those who are being asked."""
        for part in plan.parts.values():
            with _told_if_it_fails(part.live):
                self._prepare(part)

    async def _follow_in_turn(self, live: Live, record: Record) -> None:
        async with live.lock:
            self.memory.follow_others(live, record)
        self.memory.let_go(live)

    def _follow(self, plan: Plan, positions: Mapping[str, int]) -> None:
        """Memory follows the database: first every incident's state, then what medics are told, since they
        wait for it; then claims, and what reads them.
        """
        changed = [part for part in plan.parts.values() if part.events]
        others = [part for part in changed if part.live.record is not None and not self.ours(part.live)]
        for part in changed:
            # Where a new life has begun meanwhile, the database has the former one: it is taken over again.
            self.memory.follow(part, positions[part.live.id], self._membership.id)
        for part in changed:
            self._react_to(part)
        for part in changed:
            self.memory.follow_claims(part)
        for part in others:
            # What another node had until now it says no more: what has no outcome is this one's to say.
            with _told_if_it_fails(part.live):
                self._resume(part.live, False)
        for part in plan.parts.values():
            # A look that found nobody wrote nothing, but moved the next look.
            if not part.events and (before := part.live.record) is not None:
                record = part.record(before.feed_pos, before.node)
                part.live.follow(record, (), quiet_until=part.quiet_until)
            self._ticks.set(part.live)

    def _react_to(self, part: Part) -> None:
        assert part.state is not None
        happened = tuple(part.events)
        with _told_if_it_fails(part.live):
            self._react(part.live, happened)
            self._metrics.committed(part.state, happened)

    async def _lock(self, locked: dict[str, Live], own: Live, ids: set[str]) -> None:
        """Holds incidents, in id order so that no two wait for each other; each loaded if it exists.

        What was locked, also until something failed, is in ``locked`` and its caller's to release.
        """
        for incident_id in sorted(ids):
            live = own if incident_id == own.id else await self.memory.live(incident_id)
            await live.lock.acquire()
            locked[incident_id] = live
        outdated = [live for live in locked.values() if live.outdated]
        for live in outdated:
            await self.memory.load_again(live)
        if outdated and not self.alone:
            await self._see_who_left()

    async def _see_who_left(self) -> None:
        """Whom another node has just stood down because she left is not asked again."""
        with unavailable_in_trouble():
            await self._look_at_medics()

    def _loaded(self, live: Live, doubt: bool) -> None:
        self._ticks.set(live)
        self._resume(live, doubt)


@contextmanager
def _told_if_it_fails(live: Live) -> Iterator[None]:
    """A reaction. What it is to is committed, or on its way there, and must not look as if it were not."""
    try:
        yield
    except Exception as error:
        log.error("reaction failed", incident_id=live.id, error=logs.describe(error))
