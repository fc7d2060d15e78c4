"""The bus between nodes: "look!", by LISTEN and NOTIFY. Hints only: what there is to see is in the tables.

NOTIFY takes a lock on the whole database at its commit, so it is sent outside the deciding transaction, one
at a time, and only when there is another node. A listening connection can go silent without an error, so it
proves itself: what it sends to itself must come back, or it is made again. Nodes look by themselves too.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from dispatch import logs
from dispatch.check import Check
from dispatch.nodes.membership import Membership
from dispatch.store import news
from dispatch.store.trouble import DATABASE_TROUBLE
from dispatch.tasks import Tasks

log = logs.logger(__name__)

CANARY_S = 5.0
"""How often the listening connection proves itself, and how long that may take."""
ALONE_S = 0.5
AGAIN_S = 0.5
CLOSE_S_MAX = 1.0
APART_S = 0.02
"""Between two hints, and between two looks: a busy node decides hundreds of times a second, and each hint has
every other node ask."""

Listen = Callable[[], Awaitable[Any]]
"""Makes a connection of one's own (asyncpg's)."""


class Bus:
    """``tell`` is called when another node hints that there is something to look at."""

    def __init__(
        self, pool: asyncpg.Pool, listen: Listen, membership: Membership, tell: Callable[[], None]
    ) -> None:
        self._pool, self._listen = pool, listen
        self._membership = membership
        self._tell = tell
        self._tasks = Tasks()
        self._wanted = self._sending = False
        self._numbers = 0
        self._came_back: tuple[str, asyncio.Event] = ("", asyncio.Event())
        self._broken = asyncio.Event()
        self.listening = False
        self.hints = 0
        """How many NOTIFY were sent."""

    def hint(self) -> None:
        """Tells the others that there is something: at once, or a moment after it told them last."""
        if self._membership.alone:
            return
        self._wanted = True
        if not self._sending:
            self._sending = True
            self._tasks.spawn(self._notify())

    async def run(self) -> None:
        """Listens for as long as there is somebody to listen to, until cancelled."""
        while True:
            if self._membership.alone:
                await asyncio.sleep(ALONE_S)
                continue
            try:
                await self._listen_until_broken()
            except DATABASE_TROUBLE as error:
                log.warning("listening connection lost", error=logs.describe(error))
            await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        await self._tasks.cancel()

    def check(self) -> Check:
        """For /readyz. Without the bus news takes a moment longer, and nothing is lost."""
        if self._membership.alone:
            return Check("bus", True, "no other node", needed=False)
        others = f"{len(self._membership.others)} other nodes"
        if self.listening:
            return Check("bus", True, f"listening to {others}", needed=False)
        hint = "news of other nodes is looked for four times a second; see whether LISTEN passes your proxy"
        return Check("bus", False, f"not listening to {others}", hint, needed=False)

    async def _notify(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                self.hints += 1
                await news.notify(self._pool, self._membership.id)
                await asyncio.sleep(APART_S)
        except DATABASE_TROUBLE as error:
            log.warning("others not told", error=logs.describe(error))
        finally:
            self._sending = False

    async def _listen_until_broken(self) -> None:
        async with asyncio.timeout(CANARY_S):
            connection = await self._listen()
        try:
            self._broken.clear()
            connection.add_termination_listener(lambda _: self._broken.set())
            async with asyncio.timeout(CANARY_S):
                await connection.add_listener(news.CHANNEL, self._heard)
            while not self._membership.alone and not connection.is_closed():
                await self._prove(connection)
                if not self.listening:
                    self.listening = True
                    self._tell()  # what was told before was not heard
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CANARY_S):
                        await self._broken.wait()
        finally:
            self.listening = False
            connection.terminate()

    async def _prove(self, connection: Any) -> None:
        """Raises TimeoutError where what is sent does not come back."""
        self._numbers += 1
        payload = f"{self._membership.id}/{self._numbers}"
        self._came_back = (payload, asyncio.Event())
        async with asyncio.timeout(CANARY_S):
            await news.notify(connection, payload)
            await self._came_back[1].wait()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        expected, event = self._came_back
        node_id, _, canary = str(payload).partition("/")
        if payload == expected:
            event.set()
        elif not canary and node_id != self._membership.id:
            self._tell()
