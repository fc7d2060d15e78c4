"""One place where a node runs: it is started, killed at any await, stopped for a while, and started again.

What the world asks of it goes over a link, as a request does: it may be refused, its reply may be lost, and
with the node's death it fails. Real: the whole node. Unrealistic: of HTTP only devices' routes are there.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from dispatch.api.once import Once
from dispatch.clock import Clock
from dispatch.core.policy import Policies
from dispatch.service.dispatcher import Dispatcher
from dispatch.service.node import Node
from dispatch.store import idempotency
from dispatch.store.appends import Remembered
from tests.simulator.answers_over_http import DeviceRoutes
from tests.simulator.clocks import HostClock
from tests.simulator.database import ModelDatabase
from tests.simulator.database_pool import ModelConnection, ModelPool
from tests.simulator.links import WORLD, Faults, Link
from tests.simulator.loop import Life, SimLoop
from tests.simulator.network import FaultyNetwork
from tests.simulator.provider import Provider, SmsEdge

T = TypeVar("T")
ANSWER_S_MAX = 30.0


@dataclass
class Parts:
    """What a started node offers. ``once``: what the routes put around a POST; ``devices``: their routes."""

    node: Node
    once: Once
    devices: DeviceRoutes

    @property
    def dispatcher(self) -> Dispatcher:
        return self.node.dispatcher


class Gone(ConnectionError):
    """The node did not answer: whether it did what was asked is not known."""


class Place:
    """``name`` is the host; each start is a life of its own."""

    def __init__(
        self,
        name: str,
        *,
        loop: SimLoop,
        faults: Faults,
        seed: object,
        database: ModelDatabase,
        provider: Provider,
        policies: Policies,
        clock: HostClock,
        up: Callable[[], bool],
    ) -> None:
        self.name, self.clock = name, clock
        self._loop, self._faults = loop, faults
        self._random = Random(f"{seed} {name}")
        self._database, self._provider, self._policies, self._up = database, provider, policies, up
        self.to_database = Link(f"{name} to the database", loop, faults, self._random, 0.002)
        self.to_provider = Link(f"{name} to the provider", loop, faults, self._random, 0.1)
        self.to_people = Link(f"{name} to people", loop, faults, self._random, 0.05)
        self.life: Life | None = None
        self.parts: Parts | None = None
        self.sockets: list[Any] = []
        self.struck: Callable[[Place, str], None] = lambda *_: None
        """Called where the node is to die at this very await."""
        self._pool: ModelPool | None = None
        self._asked: dict[asyncio.Future[Any], None] = {}
        self._starts = 0

    @property
    def links(self) -> tuple[Link, ...]:
        return (self.to_database, self.to_provider, self.to_people)

    @property
    def up(self) -> bool:
        return self.parts is not None

    # --- its life

    def start(self) -> None:
        """Begins a life; it comes up when it has read the database, and tries until it has."""
        self._starts += 1
        life = self.life = Life(f"{self.name}.{self._starts}")
        self.clock.belongs_to(life)
        offset_ns = self._random.randrange(10**15)
        network = FaultyNetwork(
            self.to_database, self._loop, self._faults, self._up, lambda kind: self.struck(self, kind)
        )
        self._pool = life.context.copy().run(lambda: ModelPool(self._database, network, max_size=16))
        self._loop.begin(life, self._begin(life, offset_ns, self._pool), "start")

    def kill(self) -> None:
        """As ``kill -9``: the kernel closes its connections, now or when somebody notices."""
        assert self.life is not None
        self._loop.end(self.life)
        self.clock.go_on()
        self.life, self.parts = None, None
        pool, self._pool = self._pool, None
        sessions = [one.session for one in pool.connections if one.session is not None] if pool else []
        after_s = (
            self._random.uniform(0, 5)
            if self._faults.happens("host gone, not only the process", 0.3)
            else 0.0
        )
        for session in sessions:
            self._loop.call_later(after_s, session.end, context=WORLD)
        for future in list(self._asked):
            if not future.done():
                future.set_exception(Gone("the node died"))
        sockets, self.sockets = self.sockets, []
        for socket in sockets:
            self._loop.call_later(after_s, socket.broken, context=WORLD)

    def pause(self, *, suspended: bool = False) -> None:
        """As SIGSTOP; or the machine is ``suspended``, and its monotonic clock stands still with it."""
        assert self.life is not None
        self._loop.pause(self.life)
        if suspended:
            self.clock.stand_still()

    def wake(self) -> None:
        """As SIGCONT."""
        self.clock.go_on()
        if self.life is not None and self.life.paused:
            self._loop.wake(self.life)

    async def _begin(self, life: Life, offset_ns: int, pool: ModelPool) -> None:
        def monotonic_ns() -> int:
            return offset_ns + round(self.clock.monotonic_s() * 1e9)

        while True:
            try:
                parts = await self._made(monotonic_ns, pool)
            except (OSError, Exception) as error:  # noqa: F841
                await asyncio.sleep(0.5)
            else:
                break
        if self.life is life:
            self.parts = parts

    async def _made(self, monotonic_ns: Callable[[], int], pool: Any) -> Parts:
        clock = await Clock.synchronised(pool, monotonic_ns)
        sms = SmsEdge(self._provider, self.to_provider, self._loop, self._faults, clock.now_ms)
        node = Node(
            pool=pool,
            listen=lambda: ModelConnection.connect(self._database, pool.network),
            channels={sms.name: sms},
            clock=clock,
            policies=self._policies,
            sms_on=True,
            time_zone="UTC",
            name=self.name,
            randbits=self._random.getrandbits,
        )
        await node.start()

        async def find(room_id: str, key: str) -> Remembered | None:
            return await idempotency.find(pool, room_id, key, at=clock.now_ms())

        return Parts(node, Once(find, clock.now_ms), DeviceRoutes(node))

    # --- requests

    async def ask(self, work: Callable[[Parts], Coroutine[Any, Any, T]]) -> T:
        """What ``work`` gives, done by the node. Raises Gone, TimeoutError and what ``work`` raises."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._asked[answer] = None
        self.to_people.send(lambda: self._take(work, answer))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await answer
        finally:
            del self._asked[answer]

    def _take(self, work: Callable[[Parts], Coroutine[Any, Any, T]], answer: "asyncio.Future[T]") -> None:
        if self.parts is None or self.life is None:
            _fail(answer, Gone("refused"))
            return
        if self._faults.happens("client's request lost", 0.02):
            _fail(answer, Gone("reset"))
            return
        task = self._loop.begin(self.life, work(self.parts), "request")
        task.add_done_callback(lambda done: self._reply(done, answer), context=WORLD)

    def _reply(self, task: "asyncio.Task[T]", answer: "asyncio.Future[T]") -> None:
        error = task.exception()
        if self._faults.happens("client's reply lost", 0.02):
            _fail(answer, Gone("reset"))
        elif error is not None:
            self.to_people.send(lambda: _fail(answer, error))
        else:
            self.to_people.send(lambda: None if answer.done() else answer.set_result(task.result()))


def _fail(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
