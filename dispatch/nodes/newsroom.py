"""News to the other nodes: sockets that came and went here, fixes that came in, medics who were signed out.

Gathered for a moment and published together; nothing at all while this node is alone. A node that is new is
given everything: whoever has a socket here, and the fixes that it may not have found in the database.
"""

import asyncio
from collections.abc import Callable, Iterable

import asyncpg
import msgspec

from dispatch import logs
from dispatch.nodes.membership import Membership
from dispatch.records import Fix
from dispatch.store import news

log = logs.logger(__name__)

GATHER_S = 0.1
AGAIN_S = 0.5


class News(msgspec.Struct, frozen=True, omit_defaults=True):
    """``whole``: ``here`` are all who have a socket on that node. Ids of medics."""

    whole: bool = False
    here: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    signed_out: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(News).decode


class Newsroom:
    """``present``: who has a socket here; ``recent``: fixes new to the database; ``hint``: tells others."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        membership: Membership,
        *,
        present: Callable[[], Iterable[str]],
        recent: Callable[[], Iterable[Fix]],
        hint: Callable[[], None],
    ) -> None:
        self._pool, self._membership = pool, membership
        self._present, self._recent, self._hint = present, recent, hint
        self._something = asyncio.Event()
        self._everything = False
        self._sockets: dict[str, bool] = {}
        self._signed_out: dict[str, None] = {}
        self._fixes: dict[str, Fix] = {}

    def socket(self, medic_id: str, on: bool) -> None:
        """She has a socket here, or has none any more."""
        if not self._membership.alone:
            self._sockets[medic_id] = on
            self._something.set()

    def moved(self, fix: Fix) -> None:
        if not self._membership.alone:
            self._fixes[fix.medic_id] = fix
            self._something.set()

    def signed_out(self, medic_id: str) -> None:
        """Her tokens are revoked."""
        if not self._membership.alone:
            self._signed_out[medic_id] = None
            self._something.set()

    def tell_everything(self) -> None:
        """Somebody is new."""
        self._everything = True
        self._something.set()

    async def run(self) -> None:
        """Until cancelled. What could not be published is published with the next."""
        while True:
            await self._something.wait()
            await asyncio.sleep(GATHER_S)
            try:
                await self.publish()
            except Exception as error:
                log.warning("news not published", error=logs.describe(error))
                self._something.set()
                await asyncio.sleep(AGAIN_S)

    async def publish(self) -> None:
        """What there is. Raises what the database raises; nothing is lost then."""
        self._something.clear()
        everything, sockets = self._everything, self._sockets
        signed_out, fixes = self._signed_out, self._fixes
        self._everything, self._sockets, self._signed_out, self._fixes = False, {}, {}, {}
        if everything:
            fixes = {fix.medic_id: fix for fix in self._recent()} | fixes
            sockets = dict.fromkeys(self._present(), True)
        body = News(
            whole=everything,
            here=tuple(medic_id for medic_id, on in sockets.items() if on),
            gone=tuple(medic_id for medic_id, on in sockets.items() if not on),
            signed_out=tuple(signed_out),
            fixes=tuple(fixes.values()),
        )
        try:
            await news.publish(self._pool, self._membership.id, encode(body))
        except BaseException:
            self._everything = self._everything or everything
            self._sockets = sockets | self._sockets
            self._signed_out = signed_out | self._signed_out
            self._fixes = fixes | self._fixes
            raise
        self._hint()
