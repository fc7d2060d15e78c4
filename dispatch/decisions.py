"""The loop: an order is made into a command, decided, appended, and only then reacted to.

Orders for one incident wait in its own queue and are decided together; several incidents share a commit in
the appender. Every public coroutine returns after the commit, or raises: Refused (the incident does not take
it), LookupError (no such thing, or another's), ReferenceTaken, KeyTaken, Unavailable (not known whether
written).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

import structlog

from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Alert
from dispatch.core.policy import Policies
from dispatch.ids import new_incident_id
from dispatch.live import Live, MakeCommand, Order, Situation
from dispatch.metrics import Metrics
from dispatch.orders import opening, updating
from dispatch.plan import NotLocked, Part, Plan, Planner
from dispatch.records import Change, NewIncident, Record
from dispatch.roster import Roster
from dispatch.store.appender import Appender
from dispatch.store.appends import Claim, ClaimConflict, Remembered, SeqConflict, Unavailable

log = structlog.get_logger("dispatch")

TRIES_MAX = 20
"""Conflicts after which an order is given up; each means that another decision was made, so none is near."""
KEEP_ENDED_MS = 3_600_000
"""How long an ended incident is kept in memory for devices that come back for their stand-down."""
AGAIN_S = 1.0


class Decisions:
    """Incidents in memory by id.

    ``load`` reads one from the store. ``react`` is told of every commit, once memory has followed it;
    ``resume`` of every incident that was loaded, and may have something left to send.
    """

    def __init__(
        self,
        *,
        appender: Appender,
        roster: Roster,
        clock: Clock,
        policies: Policies,
        load: Callable[[str], Awaitable[Record | None]],
        react: Callable[[Live, tuple[e.Event, ...]], None],
        resume: Callable[[Live], None],
        digit_pairs: dict[str, int],
        metrics: Metrics,
    ) -> None:
        self._appender, self._roster, self._clock = appender, roster, clock
        self._policies = policies
        self._load, self._react, self._resume = load, react, resume
        self._metrics = metrics
        self._planner = Planner(roster, digit_pairs)
        self._lives: dict[str, Live] = {}
        self._running: set[str] = set()
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    # --- what a control room asks

    async def open(
        self, room_id: str, key_id: str, new: NewIncident, remember: Callable[[str], Remembered] | None = None
    ) -> Record:
        """Opens an incident, with its first alerts; ``remember`` makes the idempotency row for its id."""
        live = Live(new_incident_id(self._clock.now_ms()), room_id, new=True)
        self._lives[live.id] = live
        order = Order(
            opening(new, key_id, self._policies[new.kind]),
            details=new.details,
            policy=self._policies[new.kind],
            remember=remember(live.id) if remember else None,
        )
        try:
            return await self._do(live, order)
        except Unavailable:
            asyncio.get_running_loop().create_task(self._find_out(live))
            raise
        except Exception:
            self._lives.pop(live.id, None)
            raise

    async def _find_out(self, live: Live) -> None:
        """Whether an incident was opened though nobody could say so: then its alerts go out all the same."""
        while not self._closing:
            await asyncio.sleep(AGAIN_S)
            try:
                record = await self._load(live.id)
            except Exception as error:
                log.warning("database unavailable", incident_id=live.id, error=type(error).__name__)
                continue
            self._lives.pop(live.id, None)
            if record is not None:
                self.adopt(record)
            return

    async def update(
        self, incident_id: str, key_id: str, change: Change, remember: Remembered | None = None
    ) -> Record:
        policy = self._policies[change.kind] if change.kind is not None else None
        make = updating(change, key_id, self._roster, policy)
        return await self._order(incident_id, make, details=change.details, policy=policy, remember=remember)

    async def more(
        self, incident_id: str, key_id: str, count: int, remember: Remembered | None = None
    ) -> Record:
        return await self._order(
            incident_id,
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
        return await self._order(
            incident_id,
            lambda now: kind(at=now.at, by="control_room", key=key_id, policy=now.rules),
            remember=remember,
        )

    async def get(self, incident_id: str) -> Record | None:
        """The incident as last committed."""
        try:
            live = await self.live(incident_id)
        except LookupError:
            return None
        return live.record

    # --- what medics and the service itself ask

    async def order(self, incident_id: str, make: MakeCommand) -> Record:
        """Decides a command, and returns after its commit."""
        return await self._order(incident_id, make)

    def post(self, incident_id: str, make: MakeCommand) -> None:
        """Decides a command in its turn; nobody waits, and it is not given up while the service runs."""
        live = self._lives.get(incident_id)
        if live is not None:
            self._put(live, Order(make))
            return
        asyncio.get_running_loop().create_task(self._post_after_load(incident_id, make))

    # --- the service's life

    def adopt(self, record: Record) -> None:
        """An incident found at start: its claims, its clock, and what it still has to tell."""
        live = self._lives[record.id] = Live(record.id, record.control_room_id, record)
        for alert in record.state.alerts:
            self._claim(live, alert)
        self._set_timer(live)
        self._resume(live)

    def lives(self) -> Iterable[Live]:
        return tuple(self._lives.values())

    def loaded(self, incident_id: str) -> Live | None:
        """The incident, where it is in memory."""
        return self._lives.get(incident_id)

    async def live(self, incident_id: str) -> Live:
        """The incident in memory, loaded where need be. LookupError: there is none."""
        live = self._lives.get(incident_id)
        if live is None:
            record = await self._load(incident_id)
            live = self._lives.get(incident_id)
            if live is None:
                if record is None:
                    raise LookupError("no such incident")
                self.adopt(record)
                live = self._lives[incident_id]
        return live

    def forget_ended(self) -> None:
        """Lets go of incidents that ended long ago and have nothing left to do."""
        before = self._clock.now_ms() - KEEP_ENDED_MS
        for live in self.lives():
            record = live.record
            if record is None or live.running or record.due_at is not None:
                continue
            if record.state.ended_at is not None and record.state.ended_at < before:
                self._lives.pop(live.id, None)

    async def close(self) -> None:
        """Takes no more orders but for outcomes of sends, and waits until all are committed."""
        self._closing = True
        for live in self.lives():
            if live.timer is not None:
                live.timer.cancel()
        await self._idle.wait()

    @property
    def waiting(self) -> int:
        """Incidents with orders that are not committed yet."""
        return len(self._running)

    def late_ms(self) -> int:
        """How late the most overdue tick is."""
        now = self._clock.now_ms()
        due = [live.record.due_at for live in self.lives() if live.record and live.record.due_at is not None]
        return max(0, now - min(due, default=now))

    # --- orders

    async def _order(self, incident_id: str, make: MakeCommand, **about: object) -> Record:
        live = await self.live(incident_id)
        return await self._do(live, Order(make, **about))  # type: ignore[arg-type]

    async def _do(self, live: Live, order: Order) -> Record:
        order.done = asyncio.get_running_loop().create_future()
        self._put(live, order)
        return await order.done

    async def _post_after_load(self, incident_id: str, make: MakeCommand) -> None:
        with contextlib.suppress(LookupError):
            self._put(await self.live(incident_id), Order(make))

    def _put(self, live: Live, order: Order) -> None:
        live.orders.append(order)
        if not live.running:
            live.running = True
            self._running.add(live.id)
            self._idle.clear()
            asyncio.get_running_loop().create_task(self._work(live), name=f"incident {live.id}")

    async def _work(self, live: Live) -> None:
        """Carries out the incident's orders until none is left."""
        try:
            while live.orders:
                orders = _together(live)
                try:
                    await self._carry_out(live, orders)
                except Unavailable as unavailable:
                    await self._unavailable(live, orders, unavailable)
                except Exception as error:
                    log.exception("order failed", incident_id=live.id)
                    for order in orders:
                        _refuse(order, error)
        finally:
            live.running = False
            self._running.discard(live.id)
            if not self._running:
                self._idle.set()

    async def _unavailable(self, live: Live, orders: list[Order], error: Unavailable) -> None:
        """Those who wait are told; what nobody waits for is tried again when the database may be back."""
        live.stale = True
        for order in orders:
            _refuse(order, error)
        again = [order for order in orders if order.done is None]
        if again:
            await asyncio.sleep(AGAIN_S)
            live.orders.extendleft(reversed(again))

    async def _carry_out(self, live: Live, orders: list[Order]) -> None:
        ids = {live.id}
        for _ in range(TRIES_MAX):
            async with self._locked(ids) as locked:
                try:
                    plan = self._planner.plan(locked, live, orders, self._clock.now_ms())
                except NotLocked as missing:
                    ids.add(missing.incident_id)
                    continue
                if await self._keep(plan, live, orders):
                    return
        raise Unavailable("too many conflicts")

    async def _keep(self, plan: Plan, live: Live, orders: list[Order]) -> bool:
        """Commits the plan and reacts to it; False where it is to be made anew."""
        work = plan.append(orders)
        try:
            positions = await self._appender.append(work) if work.streams or work.remember else {}
        except SeqConflict as conflict:
            await self._reload(conflict.incident_id)
            return False
        except ClaimConflict as conflict:
            self._note_claims(conflict.claims)
            return False
        else:
            self._apply(plan, positions)
        finally:
            self._roster.give_back(plan.taken)
        for order in orders:
            refusal = plan.refused.get(order)
            if refusal is not None:
                _refuse(order, refusal)
            elif order.done is not None and not order.done.done() and live.record is not None:
                order.done.set_result(live.record)
        return True

    def _apply(self, plan: Plan, positions: Mapping[str, int]) -> None:
        """Memory follows the database: first every incident's state and claims, then the reactions."""
        changed = [part for part in plan.parts.values() if part.events]
        for part in changed:
            part.live.take_over(part.record(positions[part.live.id]))
            self._claims_changed(part)
            self._set_timer(part.live)
        for part in changed:
            events = tuple(part.events)
            self._react(part.live, events)
            assert part.state is not None
            self._metrics.committed(part.state, events)
        # A look that found nobody wrote nothing, but moved the next look.
        for part in plan.parts.values():
            if not part.events and part.live.record is not None:
                part.live.take_over(part.record(part.live.record.feed_pos))
                self._set_timer(part.live)

    @contextlib.asynccontextmanager
    async def _locked(self, ids: set[str]) -> AsyncIterator[dict[str, Live]]:
        """Holds incidents, in id order so that no two wait for each other; each loaded if it exists."""
        async with contextlib.AsyncExitStack() as stack:
            held = {}
            for incident_id in sorted(ids):
                live = self._lives.get(incident_id) or await self.live(incident_id)
                await stack.enter_async_context(live.lock)
                held[incident_id] = live
            for live in held.values():
                if live.stale and not live.new:
                    await self._load_again(live)
            yield held

    async def _load_again(self, live: Live) -> None:
        """After a conflict, or a commit of which nothing is known, memory follows the database again."""
        record = await self._load(live.id)
        if record is None:
            raise LookupError("no such incident")
        live.take_over(record)
        for alert in record.state.alerts:
            self._claim(live, alert)
        self._set_timer(live)
        self._resume(live)

    async def _reload(self, incident_id: str) -> None:
        live = self._lives.get(incident_id)
        if live is not None:
            live.new = False
            await self._load_again(live)

    # --- claims and timers

    def _claims_changed(self, part: Part) -> None:
        """Keeps the roster's claims as the committed state has them."""
        assert part.state is not None
        priority_changed = any(isinstance(event, e.IncidentUpdated) for event in part.events)
        touched = {n for event in part.events if (n := getattr(event, "n", None)) is not None}
        for alert in part.state.alerts:
            if priority_changed or alert.n in touched:
                self._claim(part.live, alert)

    def _claim(self, live: Live, alert: Alert) -> None:
        medic_id = live.medic_of(alert.n)
        if medic_id is None or live.record is None:
            return
        if alert.open or alert.engaged:
            state = live.record.state
            self._roster.hold_alert(
                medic_id,
                incident_id=live.id,
                n=alert.n,
                priority=state.priority,
                drill=state.drill,
                engaged=alert.engaged,
            )
        else:
            self._roster.release_alert(medic_id, live.id, alert.n)

    def _note_claims(self, claims: tuple[Claim, ...]) -> None:
        """Another node's decisions, of which this one has not heard yet."""
        for claim in claims:
            self._roster.hold_alert(
                claim.medic_id,
                incident_id=claim.incident_id,
                n=claim.n,
                priority=claim.priority,
                drill=claim.drill,
                engaged=claim.engaged,
            )

    def _set_timer(self, live: Live) -> None:
        if live.timer is not None:
            live.timer.cancel()
            live.timer = None
        record = live.record
        if record is None or record.due_at is None or self._closing:
            return
        wait_s = max(0.0, (record.due_at - self._clock.now_ms()) / 1000)
        live.timer = asyncio.get_running_loop().call_later(wait_s, self._tick, live)

    def _tick(self, live: Live) -> None:
        """Due, or by the database's clock not quite: then a moment later."""
        record = live.record
        if record is None or record.due_at is None:
            return
        if record.due_at > self._clock.now_ms():
            self._set_timer(live)
        else:
            self._put(live, Order(_tick))


def _tick(now: Situation) -> c.Command:
    return c.Tick(at=now.at, policy=now.rules)


def _together(live: Live) -> list[Order]:
    """The orders waiting, up to the second one with an idempotency key: a commit remembers one."""
    orders = [live.orders.popleft()]
    while live.orders and not (live.orders[0].remember and any(order.remember for order in orders)):
        orders.append(live.orders.popleft())
    return orders


def _refuse(order: Order, error: Exception) -> None:
    if order.done is not None and not order.done.done():
        order.done.set_exception(error)
