"""This node's membership: it lives as long as its lease, which it puts off; after that it lives anew.

A life that let its lease run out is over: the database refuses its writes, and others have taken over what
was its. The next one has another id and begins with nothing: it takes over again what nobody has.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import asyncpg

from dispatch import logs
from dispatch.ids import CHANCE, RandBits, new_id
from dispatch.nodes.patience import patiently
from dispatch.store import nodes

log = logs.logger(__name__)

LEASE_MS = 3000
RENEW_S = 0.5
AGAIN_S = 0.1
ANSWER_S_MAX = 1.0
"""How long a renewal waits for the database, by the loop's beats, before another connection is tried."""


class Membership:
    """``name`` is the same in every life, ``id`` this one's. ``on_new_life`` is told of each but the first.

    Raises what the database raises, but where it says otherwise.
    """

    def __init__(self, pool: asyncpg.Pool, name: str, *, randbits: RandBits = CHANCE) -> None:
        self._pool = pool
        self._randbits = randbits
        self._joining = asyncio.Lock()
        self._connection: asyncpg.pool.PoolConnectionProxy | None = None
        self.name = name
        self.id = new_id(randbits)
        self.others: tuple[str, ...] = ()
        """The other nodes that live, as last seen."""
        self.on_new_life: list[Callable[[], None]] = []

    @property
    def alone(self) -> bool:
        return not self.others

    def saw(self, node_ids: Iterable[str]) -> None:
        """These live."""
        self.others = tuple(node_id for node_id in node_ids if node_id != self.id)

    async def join(self) -> None:
        """Begins the first life. A former process of this name is dead from now on."""
        await nodes.join(self._pool, self.id, self.name, LEASE_MS)

    async def live_anew(self, after: str) -> None:
        """The life ``after`` was fenced: begins the next one, unless it has begun already."""
        async with self._joining:
            if self.id != after:
                return
            new = new_id(self._randbits)
            if not await nodes.rejoin(self._pool, after, new, LEASE_MS):
                # Another has the name: it is left to it, or the two would fence each other for ever.
                name = f"{self.name.partition(' life ')[0]} life {new}"
                await nodes.join(self._pool, new, name, LEASE_MS)
                self.name = name
            log.warning("fenced; joined anew", node=new, former=after)
            self.id = new
            for tell in self.on_new_life:
                tell()

    async def renew(self) -> None:
        """Lives on, or anew."""
        current = self.id
        try:
            lives = await patiently(self._renew(current), ANSWER_S_MAX)
        except BaseException:
            await self._disconnect()
            raise
        if not lives:
            await self.live_anew(current)

    async def _renew(self, node_id: str) -> bool:
        """Over a connection of its own: a node with much to ask has its lease put off all the same."""
        if self._connection is None:
            self._connection = await self._pool.acquire()
        return await nodes.renew(self._connection, node_id, LEASE_MS)

    async def _disconnect(self) -> None:
        """One that has failed, or is not needed any more; the next renewal takes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # What is broken the pool has taken back by itself.
            with contextlib.suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
                connection.terminate()
            await self._pool.release(connection)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                # Where the answer was read late, the next renewal is due by then.
                next_at = asyncio.get_running_loop().time() + RENEW_S
                try:
                    await self.renew()
                except Exception as error:
                    log.warning("lease not renewed", error=logs.describe(error))
                    next_at = max(next_at, asyncio.get_running_loop().time() + AGAIN_S)
                await asyncio.sleep(next_at - asyncio.get_running_loop().time())
        finally:
            await self._disconnect()

    async def leave(self) -> None:
        """The node stops."""
        await self._disconnect()
        await nodes.leave(self._pool, self.id)
