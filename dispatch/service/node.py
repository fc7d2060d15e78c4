"""A node: everything of the service but HTTP, made from its edges alone.

The service puts HTTP around it; the fault simulator makes the very same node with edges that misbehave.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress

import asyncpg

from dispatch.check import Check
from dispatch.clock import Clock
from dispatch.core.policy import Policies
from dispatch.grace import Grace
from dispatch.ids import CHANCE, RandBits
from dispatch.metrics import Metrics
from dispatch.nodes.bus import Bus, Listen
from dispatch.nodes.feed_positions import FeedPositions
from dispatch.nodes.membership import Membership
from dispatch.nodes.newsroom import Newsroom
from dispatch.nodes.presence import Presence
from dispatch.roster.roster import Roster
from dispatch.service.dispatcher import Dispatcher
from dispatch.service.following import Following
from dispatch.service.medics_follower import MedicsFollower
from dispatch.service.positions import Positions
from dispatch.store import positions
from dispatch.store.appender import PATIENCE_S, Appender
from dispatch.store.trouble import DATABASE_TROUBLE
from dispatch.tasks import Tasks
from notify.channel import Channel
from notify.websocket import SocketHub

RECONNECT_GRACE_MS = 5000


class Node:
    """``start`` finds what a former life or a dead node left undone; ``close`` loses nothing.

    ``pool`` and ``listen`` (a connection of one's own) lead to the database, ``clock`` is set by it.
    ``channels`` are those beside the websocket, by name. ``name`` tells this node from others, and is the
    same after a restart. ``patience_s`` is the appender's; ``sleep`` is how a sender waits for its next call.
    """

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        listen: Listen,
        channels: Mapping[str, Channel],
        clock: Clock,
        policies: Policies,
        sms_on: bool,
        time_zone: str,
        name: str,
        randbits: RandBits = CHANCE,
        reconnect_grace_ms: int | None = None,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.pool, self.clock = pool, clock
        self.metrics, self.hub = Metrics(), SocketHub()
        self._grace = Grace()
        self._grace_ms = RECONNECT_GRACE_MS if reconnect_grace_ms is None else reconnect_grace_ms
        self.roster = Roster(default_time_zone=time_zone, sms_on=sms_on, grace=self._grace)
        self.presence = Presence(self.roster)
        self.membership = Membership(pool, name, randbits=randbits)
        self.bus = Bus(pool, listen, self.membership, lambda: self.following.tell())
        waiting = Positions(lambda fixes: positions.save(pool, fixes))
        self.newsroom = Newsroom(
            pool, self.membership, present=self.hub.medics, recent=waiting.recent, hint=self.bus.hint
        )
        self.membership.on_new_life.append(self.newsroom.tell_everything)
        feeds = FeedPositions()
        self.appender = Appender(pool, self.membership, patience_s=patience_s, randbits=randbits)
        self.medics = MedicsFollower(pool, self.roster)
        self.dispatcher = Dispatcher(
            pool=pool,
            appender=self.appender,
            roster=self.roster,
            clock=clock,
            policies=policies,
            hub=self.hub,
            channels={self.hub.name: self.hub, **channels},
            metrics=self.metrics,
            membership=self.membership,
            presence=self.presence,
            positions=waiting,
            newsroom=self.newsroom,
            feeds=feeds,
            bus=self.bus,
            look_at_medics=self.medics.look,
            grace=self._grace,
            sleep=sleep,
            randbits=randbits,
        )
        self.following = Following(
            pool, self.membership, self.roster, self.presence, self.medics, feeds, self.dispatcher
        )
        self._starting, self._renewing, self._with_others = Tasks(), Tasks(), Tasks()

    async def start(self) -> None:
        """Raises what the database raises."""
        await self.following.begin()
        # Beside each other: the server gathers the digits while medics are taken over here.
        works = (self.dispatcher.read_digits(), self.medics.load())
        try:
            await asyncio.gather(*(self._starting.spawn(work) for work in works))
        finally:
            await self._starting.cancel()
        await self.membership.join()
        self._renewing.spawn(self.membership.run())
        await self.appender.start()
        await self.dispatcher.start()
        for work in (self.following.run(), self.newsroom.run(), self.bus.run()):
            self._with_others.spawn(work)
        self._grace.ends_at(self.clock.now_ms() + self._grace_ms)

    async def close(self) -> None:
        """What was begun is finished; another node may take over what is left at once."""
        await self.alone()
        await self.dispatcher.close()
        await self.appender.close()
        await self._renewing.cancel()
        with suppress(*DATABASE_TROUBLE):  # else others wait for the lease to run out
            await self.membership.leave()

    async def alone(self) -> None:
        """Neither follows nor tells others any more."""
        await self._with_others.cancel()
        await self.following.close()
        await self.bus.close()

    def checks(self) -> Iterator[Check]:
        """How it is, for /readyz."""
        yield from self.dispatcher.checks()
        yield self.bus.check()
        yield self.following.check()
