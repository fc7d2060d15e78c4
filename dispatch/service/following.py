"""What others do reaches this node's memory: medics, sockets and fixes, decisions, and what a dead node left.

One query tells how far everything is; what has moved on is read. It is asked four times a second, and when
another node hints that there is something: at once, or a moment after the last time. So a hint that is lost
costs a moment and nothing else, and several busy nodes together cause no more work than one.
"""

import asyncio

import asyncpg

from dispatch import logs
from dispatch.check import Check
from dispatch.nodes.bus import APART_S
from dispatch.nodes.feed_positions import FeedPositions
from dispatch.nodes.membership import ANSWER_S_MAX, Membership
from dispatch.nodes.newsroom import decode
from dispatch.nodes.patience import patiently
from dispatch.nodes.presence import Presence
from dispatch.roster.roster import Roster
from dispatch.service.dispatcher import Dispatcher
from dispatch.service.medics_follower import MedicsFollower
from dispatch.service.taking_up import LOADED_AT_ONCE, TAKEN_AT_ONCE
from dispatch.store import feed, incidents, news, nodes
from dispatch.store.nodes import Look
from dispatch.tasks import Tasks

log = logs.logger(__name__)

LOOK_S = 0.25
TAKE_OVER_S = 0.5
LOOKED_S_MAX = 5.0
READ_AT_ONCE = 1000


class Following:
    def __init__(
        self,
        pool: asyncpg.Pool,
        membership: Membership,
        roster: Roster,
        presence: Presence,
        medics: MedicsFollower,
        feeds: FeedPositions,
        dispatcher: Dispatcher,
    ) -> None:
        self._pool, self._membership = pool, membership
        self._roster, self._presence = roster, presence
        self._medics, self._feeds = medics, feeds
        self._dispatcher, self._newsroom = dispatcher, dispatcher.newsroom
        self._told = asyncio.Event()
        self._tasks = Tasks()
        self._news_no = 0
        self._server = ""
        self._history: str | None = None
        self._lived: tuple[str, ...] = ()
        self._take_over_at = 0.0
        self._unsure = False
        self._looked_at = 0.0

    async def begin(self) -> None:
        """From here on everything is followed; what was before is loaded next. Before the node joins."""
        look = await nodes.look(self._pool)
        self._news_no, self._lived = look.news_no, look.nodes
        self._server, self._history = look.server, await nodes.history(self._pool)
        self._feeds.start(look.feed_positions)
        self._looked_at = asyncio.get_running_loop().time()

    def tell(self) -> None:
        """There may be something to see."""
        self._told.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("others not followed", error=logs.describe(error))
                await asyncio.sleep(LOOK_S)
            await asyncio.sleep(APART_S)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._told.wait()
            except TimeoutError:
                pass
            self._told.clear()

    async def close(self) -> None:
        await self._tasks.cancel()

    async def look(self) -> None:
        """Takes over what has happened elsewhere. Raises what the database raises; then looks again."""
        # Over another connection the next may be answered.
        look = await patiently(nodes.look(self._pool), ANSWER_S_MAX)
        self._membership.saw(look.nodes)
        self._dispatcher.saw_pause(look.paused_at)
        if look.server != self._server:
            await self._see_history(look)
        if look.change_no != self._medics.seen:
            # Before decisions: who was stood down because she left is not asked again here.
            await self._medics.look()
        if self._medics.somebody_left and not self._tasks:
            # By itself: to end the alerts of a medic who left may take its time.
            self._tasks.spawn(self._end_alerts())
        if look.news_no != self._news_no:
            await self._read_news()
        for room_id in self._feeds.behind(look.feed_positions, at_once=not self._membership.alone):
            await self._read_feed(room_id, look.feed_positions.get(room_id, 0))
        self._see_who_lives(look)
        now = asyncio.get_running_loop().time()
        if now >= self._take_over_at:
            self._take_over_at = now + TAKE_OVER_S
            await self.take_over()
        self._looked_at = now

    async def take_over(self) -> None:
        """Incidents whose node is dead are this one's, with their timers."""
        while True:
            node_id, unsure, self._unsure = self._membership.id, self._unsure, True
            taken = await incidents.take_over(self._pool, node_id, TAKEN_AT_ONCE)
            if unsure:  # the reply to the last was lost, or what it took over not loaded
                taken = await incidents.had_by(self._pool, node_id)
            await self._load(taken)
            self._unsure = False
            if len(taken) < TAKEN_AT_ONCE or unsure:
                return

    def check(self) -> Check:
        """For /readyz."""
        ago_s = asyncio.get_running_loop().time() - self._looked_at
        hint = "who left or moved elsewhere is not known here, and no dead node is taken over; see the log"
        ok = ago_s < LOOKED_S_MAX
        return Check("following", ok, f"last look {ago_s:.1f} s ago", "" if ok else hint, needed=False)

    # --- within

    async def _end_alerts(self) -> None:
        try:
            await self._medics.end_their_alerts(self._dispatcher)
        except Exception as error:
            log.warning("alerts of medics who left not ended", error=logs.describe(error))

    async def _read_news(self) -> None:
        pieces = await news.since(self._pool, self._news_no, limit=READ_AT_ONCE)
        if pieces and pieces[0].no != self._news_no + 1:
            await self._missed_news(pieces[0].no - 1)
        for piece in pieces:
            if piece.node != self._membership.id:
                self._apply(piece)
            self._news_no = piece.no
        if not pieces:  # all were forgotten
            await self._missed_news((await nodes.look(self._pool)).news_no)

    async def _missed_news(self, up_to: int) -> None:
        """What was forgotten before it was read here, as where the machine stood still for minutes.

        A new life is told everything but who was signed out: no device is believed to be still who it was.
        """
        await self._membership.live_anew(self._membership.id)
        self._medics.forget_tokens(None)
        self._dispatcher.who_was_signed_out_is_not_known()
        self._news_no = up_to

    def _apply(self, piece: news.Piece) -> None:
        told = decode(piece.body)
        vanished = self._presence.all_there(piece.node, told.here) if told.whole else []
        for medic_id in told.here:
            self._presence.opened(medic_id, piece.node)
        vanished += [medic_id for medic_id in told.gone if self._presence.closed(medic_id, piece.node)]
        self._roster.move_many(told.fixes)
        for medic_id in told.signed_out:
            self._medics.forget_tokens(medic_id)
            self._dispatcher.sign_out_here(medic_id)
        self._dispatcher.sockets_vanished(vanished)

    async def _see_history(self, look: Look) -> None:
        """Where a standby was promoted it may have lost the last that was committed, and gives anew the
        numbers that are known here: nothing can be followed from them, all is read as at a start.
        """
        history = await nodes.history(self._pool)
        if history is None or history != self._history:
            log.warning("another server's history: all is read anew", history=history, before=self._history)
            await self._dispatcher.keep_policies()
            self._feeds.start(look.feed_positions)
            await self._medics.read_anew()
            decisions = self._dispatcher.decisions
            for live in decisions.memory.all():
                async with live.lock:
                    await decisions.memory.load_whole(live)
            owed = await incidents.owed(self._pool)
            await self._load([one for one in owed if decisions.memory.get(one) is None])
            await self._missed_news(look.news_no)
        self._server, self._history = look.server, history

    async def _read_feed(self, room_id: str, position: int) -> None:
        """Decisions of other nodes; those of this one pass by, as memory has them."""
        self._dispatcher.wakeups.wake(room_id, position)
        while (known := self._feeds.known(room_id)) < position:
            decided = await feed.decided(self._pool, room_id, after=known, limit=READ_AT_ONCE)
            if not decided:
                return
            last, own = dict(decided), self._feeds.ended_here(room_id)
            await self._load([one for one, at in last.items() if at not in own and self._lags(one, at)])
            self._feeds.read(room_id, decided[-1][1])

    def _lags(self, incident_id: str, feed_pos: int) -> bool:
        live = self._dispatcher.decisions.memory.get(incident_id)
        return live is None or live.record is None or live.record.feed_pos < feed_pos

    async def _load(self, incident_ids: list[str]) -> None:
        for at in range(0, len(incident_ids), LOADED_AT_ONCE):
            some = incident_ids[at : at + LOADED_AT_ONCE]
            known = self._dispatcher.decisions.memory.known(some)
            self._dispatcher.decisions.follow(await incidents.load_since(self._pool, some, known))

    def _see_who_lives(self, look: Look) -> None:
        """Who is new is told everything; who is dead has no sockets."""
        own = self._membership.id
        if any(node_id not in self._lived and node_id != own for node_id in look.nodes):
            self._newsroom.tell_everything()
        self._lived = look.nodes
        for node_id in self._presence.nodes():
            if node_id not in look.nodes:
                self._dispatcher.sockets_vanished(self._presence.forget(node_id))
