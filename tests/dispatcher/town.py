"""One node's dispatch in this process, on a real Postgres: medics, their devices, moved time.

Real: roster, appender, dispatcher, hub, and the SMS channel where there is one. Unrealistic: a device is the
end of the hub's protocol and not a socket, and there is no HTTP between a control room and the dispatcher.
All medics live north of a square.
"""

import asyncio
import heapq
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import asyncpg
from msgspec.structs import replace

from dispatch.clock import Clock
from dispatch.core import events as e
from dispatch.core.incident import Alert
from dispatch.core.policy import Policy, Rung, Wave, shipped
from dispatch.records import Details, Medic, NewIncident, Place, Position, Record
from dispatch.service.node import Node
from dispatch.store import incidents, keys, medics, nodes
from dispatch.store.database import connect_pool, connect_to_listen
from notify.channel import Channel
from tests.joined import HOUR_MS, lapse

SQUARE = Position(52.09, 5.12)
METRES_NORTH = 1 / 111_195.2
KEY = "key-1"
WAIT_S_MAX = 20.0


class MovedClock(Clock):
    """Postgres' time when the node started, or ``at_ms``; only the test moves it, and wakes who sleeps by it.

    However long a busy machine takes over a step, it is no later afterwards.
    """

    def __init__(self, at_ms: int | None = None) -> None:
        super().__init__()
        self._at_ms = at_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def resync(self, pool: Any) -> None:
        if self._at_ms is None:
            await super().resync(pool)
            self._at_ms = super().now_ms()

    def now_ms(self) -> int:
        return super().now_ms() if self._at_ms is None else self._at_ms

    def move(self, seconds: float) -> None:
        self.move_to(self.now_ms() + round(seconds * 1000))

    def move_to(self, at_ms: int) -> None:
        self._at_ms = at_ms
        while self._sleepers and self._sleepers[0][0] <= at_ms:
            sleeper = heapq.heappop(self._sleepers)[2]
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        until_ms = self.now_ms() + round(seconds * 1000)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (until_ms, next(self._numbers), sleeper))
        await sleeper

    @property
    def sleeping(self) -> int:
        return sum(not sleeper.done() for _, _, sleeper in self._sleepers)


class Device:
    """A medic's phone as the hub sees it. Unrealistic: it takes every frame at once, and loses none."""

    def __init__(self, medic_id: str) -> None:
        self.medic_id = medic_id
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None

    def send(self, text: str) -> bool:
        self.frames.append(json.loads(text))
        return True

    def close(self, code: int) -> None:
        self.closed = code

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]


def a_policy(kind: str = "trauma", *, waves: Any = None, ladder: Any = None, **keys: Any) -> Policy:
    """A shipped policy with some keys changed."""
    if waves is not None:
        keys["waves"] = tuple(Wave(after_s, alerts) for after_s, alerts in waves)
    if ladder is not None:
        keys["ladder"] = tuple(Rung(channel, after_s) for channel, after_s in ladder)
    return replace(shipped()[kind], **keys)


def a_medic(medic_id: str, metres: float, **about: Any) -> Medic:
    """She lives ``metres`` north of the square."""
    number = int.from_bytes(medic_id.encode()[-4:], "big") % 10**8
    row: dict[str, Any] = {
        "name": medic_id,
        "phone": f"+316{number:08}",
        "language": "en",
        "skills": (),
        "mode": "foot",
        "cleared_for_homes": True,
        "verified": True,
        "suspended": False,
        "certificate_until": None,
        "registered_by": None,
        "available": True,
        "drills": True,
        "places": (Place("home", SQUARE.lat + metres * METRES_NORTH, SQUARE.lon),),
    }
    return Medic(id=medic_id, **(row | about))


def some_medics(count: int, *, nearest_m: float = 50, step_m: float = 20, **about: Any) -> list[Medic]:
    """``medic-000`` is the nearest."""
    return [
        a_medic(f"medic-{i:03}", nearest_m + i * step_m, phone=f"+316{10_000_000 + i}", **about)
        for i in range(count)
    ]


class Town:
    """A node. ``dsn``: its way to the database. ``channels``: beside the websocket, made from the clock.

    ``deaf``: it neither follows other nodes nor tells them anything, and lives for an hour without a word.
    """

    def __init__(
        self,
        dsn: str,
        *,
        policies: Mapping[str, Policy] | None = None,
        channels: Callable[[Clock], Mapping[str, Channel]] = lambda _: {},
        node_id: str = "node-a",
        grace_s: float = 0,
        patience_s: float = 10.0,
        deaf: bool = False,
    ) -> None:
        self._dsn = dsn
        self._policies = {**shipped(), **(policies or {})}
        self._channels = channels
        self._node_id = node_id
        self._grace_s = grace_s
        self._patience_s = patience_s
        self._deaf = deaf
        self.clock = MovedClock()
        self.devices: dict[str, Device] = {}
        self._references = itertools.count(1)

    async def start(self) -> "Town":
        self.pool: asyncpg.Pool = await connect_pool(self._dsn, min_size=2, max_size=6)
        await self.clock.resync(self.pool)
        channels = self._channels(self.clock)
        self.room_id = await keys.ensure_control_room(self.pool, "Utrecht")
        self.node = Node(
            pool=self.pool,
            listen=lambda: connect_to_listen(self._dsn),
            channels=channels,
            clock=self.clock,
            policies=self._policies,
            sms_on="sms" in channels,
            time_zone="UTC",
            name=self._node_id,
            reconnect_grace_ms=round(self._grace_s * 1000),
            patience_s=self._patience_s,
            sleep=self.clock.sleep,
        )
        self.hub, self.roster, self.appender = self.node.hub, self.node.roster, self.node.appender
        self.dispatcher, self.membership = self.node.dispatcher, self.node.membership
        await self.node.start()
        if self._deaf:
            await self.node.alone()
            await nodes.join(self.pool, self.membership.id, self.membership.name, HOUR_MS)
            await self.node._renewing.cancel()
        return self

    async def stop(self) -> None:
        """As the service stops: nothing is lost."""
        await self.node.close()
        await asyncio.wait_for(self.pool.close(), 10)

    async def kill(self, *, lapsed: bool = True) -> None:
        """As ``kill -9``: what is not in the database is gone, and nothing more gets there.

        ``lapsed``: its lease has run out too.
        """
        self.pool.terminate()
        self.appender._closing = True  # it would wait for a database that it can not reach any more
        # Again, where the database's error came first and the cancellation was lost in it.
        while going_on := [task for task in self._tasks() if not task.done()]:
            for task in going_on:
                task.cancel()
            await asyncio.wait(going_on, timeout=1)
        if lapsed:
            await self.lapse()

    def _tasks(self) -> list[asyncio.Task[Any]]:
        """Those of this node; another may live in the same process."""
        node, dispatcher = self.node, self.dispatcher
        decisions, outgoing = dispatcher.decisions, dispatcher.outgoing
        own = (node._renewing, node._with_others, node.following._tasks, node.bus._tasks, dispatcher._chores)
        some = (*own, decisions._working, decisions._unknown._finding_out, outgoing._chores)
        tasks = [task for group in some for task in group._tasks]
        return [*tasks, *outgoing.sender._tasks.values(), self.appender._writer]

    async def lapse(self) -> None:
        """Its lease has run out."""
        connection = await asyncpg.connect(self._dsn)
        await lapse(connection, self.membership.id)
        await connection.close()

    # --- medics

    async def add(self, people: Iterable[Medic], *, connected: bool = True) -> list[Device]:
        """Registers them; with a socket each, unless told otherwise."""
        people = list(people)
        await medics.create(self.pool, people)
        self.roster.put_many(people)
        return [self.connect(medic.id) for medic in people] if connected else []

    def connect(self, medic_id: str) -> Device:
        """A socket more; ``devices`` has her newest."""
        device = self.devices[medic_id] = Device(medic_id)
        self.hub.connect(medic_id, device)
        self.dispatcher.socket_opened(medic_id)
        return device

    def disconnect(self, device: Device) -> None:
        self.hub.disconnect(device.medic_id, device)
        self.dispatcher.socket_closed(device.medic_id)

    async def acknowledge_all(self, *devices: Device) -> None:
        for device in devices:
            for frame in device.frames:
                if "id" in frame:
                    await self.dispatcher.acknowledged(device.medic_id, frame["id"])

    async def acknowledge(self, record: Record) -> None:
        """Every device that has an alert of it says so."""
        for asked in record.asked:
            await self.acknowledge_all(self.devices[asked.medic_id])

    async def answer(self, record: Record, n: int, answer: e.Answer, channel: str = "websocket") -> str:
        medic_id = next(asked.medic_id for asked in (await self.now(record)).asked if asked.n == n)
        told = await self.dispatcher.answer(medic_id, f"{record.id}-{n}", answer, channel)
        return told[0][1]

    # --- incidents

    async def report(self, kind: str = "trauma", *, north_m: float = 0, **about: Any) -> Record:
        position = Position(SQUARE.lat + north_m * METRES_NORTH, SQUARE.lon)
        reference = about.pop("reference", None) or f"{self._node_id}-{next(self._references)}"
        remember = about.pop("remember", None)
        new = NewIncident(reference=reference, kind=kind, details=Details(position), **about)
        return await self.dispatcher.open(self.room_id, KEY, new, remember)

    async def now(self, record: Record) -> Record:
        found = await self.dispatcher.get(record.id)
        assert found is not None
        return found

    async def stored(self, record: Record) -> Record:
        """As its events in the database tell it."""
        found = await incidents.load(self.pool, record.id)
        assert found is not None
        return found

    async def events(self, record: Record) -> list[e.AnyEvent]:
        return [one.event for one in await incidents.events_of(self.pool, record.id)]

    # --- time

    async def pass_time(self, seconds: float) -> None:
        """Puts the clock forward; whatever that made due has then been decided and committed."""
        self.clock.move(seconds)
        self.dispatcher.decisions.tick_all_due()
        await self.dispatcher.outgoing.look()
        await self.quiet()

    async def quiet(self) -> None:
        """When nothing is taken up, decided, put or sent; a sender that waits for its time is quiet."""
        dispatcher = self.dispatcher

        def busy() -> bool:
            sending = dispatcher.outgoing.waiting - self.clock.sleeping
            taking_up = not dispatcher._taking_up.done()
            return bool(taking_up or dispatcher.decisions.waiting or sending > 0)

        await until(lambda: not busy())


STEP_S = 0.01
STEP_COUNTS_S_MAX = 0.1
"""A step that took longer was one in which the machine, busy with other tests, did not run this process."""


async def until(true: Callable[[], Any], *, within_s: float = WAIT_S_MAX) -> None:
    """Waits until it is; AssertionError after too long."""

    async def is_true() -> Any:
        return true()

    await soon(is_true, within_s=within_s)


async def soon(is_true: Callable[[], Awaitable[Any]], *, within_s: float = WAIT_S_MAX) -> None:
    """The same for what has to be asked."""
    waited_s, then = 0.0, time.monotonic()
    while not await is_true():
        assert waited_s < within_s, "it never came"
        await asyncio.sleep(STEP_S)
        now = time.monotonic()
        waited_s += min(now - then, STEP_COUNTS_S_MAX)
        then = now


def asked_by(record: Record) -> dict[str, Alert]:
    """Each medic's newest alert."""
    return {asked.medic_id: record.state.alert(asked.n) for asked in record.asked}


def states(record: Record) -> list[str]:
    return [alert.state for alert in record.state.alerts]
