"""This node's membership: it lives as long as its lease, which it puts off; after that it lives anew.

A life that let its lease run out is over: the database refuses its writes, and others have taken over what
was its. The next one has another id and begins with nothing: it takes over again what nobody has.
"""

import asyncio
from collections.abc import Callable, Iterable

import asyncpg

from dispatch import logs
from dispatch.ids import CHANCE, RandBits, new_id
from dispatch.store import nodes

log = logs.logger(__name__)

LEASE_MS = 3000
RENEW_S = 0.5
ANSWER_S_MAX = 1.0
"""How long a renewal waits for the database, before another connection is tried."""


class Membership:
    """``name`` is the same in every life, ``id`` this one's. ``on_new_life`` is told of each but the first.

    Raises what the database raises, but where it says otherwise.
    """

    def __init__(self, pool: asyncpg.Pool, name: str, *, randbits: RandBits = CHANCE) -> None:
        self._pool = pool
        self._randbits = randbits
        self._joining = asyncio.Lock()
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
        async with asyncio.timeout(ANSWER_S_MAX):
            lives = await nodes.renew(self._pool, current, LEASE_MS)
        if not lives:
            await self.live_anew(current)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.renew()
            except Exception as error:
                log.warning("lease not renewed", error=logs.describe(error))
            await asyncio.sleep(RENEW_S)

    async def leave(self) -> None:
        """The node stops."""
        await nodes.leave(self._pool, self.id)
