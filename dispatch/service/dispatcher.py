"""What the service does for control rooms, medics and providers: decisions, and the reactions to them.

Reactions come after the commit: notifications go out, feeds wake, the roster knows who is taken. What a
reaction could not do (the node died, a socket had gone) is found again from the rows, by the same code.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

import asyncpg
import msgspec

from dispatch import fault_points, logs
from dispatch.check import Check
from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.answers import has_arrived
from dispatch.core.policy import Policies
from dispatch.deciding.decisions import KEEP_ENDED_MS, Decisions
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live
from dispatch.deciding.orders import answering, arriving, leaving, seeing, why_left
from dispatch.grace import Grace
from dispatch.ids import CHANCE, AlertId, RandBits, alert_id, parse_alert_id, parse_notification_id
from dispatch.metrics import Metrics
from dispatch.nodes.bus import Bus
from dispatch.nodes.feed_positions import FeedPositions
from dispatch.nodes.membership import Membership
from dispatch.nodes.newsroom import Newsroom
from dispatch.nodes.presence import Presence
from dispatch.paused.pause import Pause
from dispatch.records import Asked, Change, Fix, Medic, NewIncident, Record
from dispatch.roster.roster import Roster
from dispatch.sending.outgoing import Outgoing
from dispatch.sending.sender import Result
from dispatch.sending.sms_callbacks import callbacks
from dispatch.service.her_alerts import HerAlerts, Shown
from dispatch.service.lost_alerts import LostAlerts
from dispatch.service.positions import Positions
from dispatch.service.taking_up import take_up_owed, take_up_untold
from dispatch.service.texts import LATE_ANSWER_MS, Texts
from dispatch.service.wakeups import Wakeups
from dispatch.store import alerts, incidents, medics
from dispatch.store import policies as kept
from dispatch.store.appender import Appender
from dispatch.store.appends import Remembered, Unavailable
from dispatch.store.trouble import DATABASE_TROUBLE
from dispatch.tasks import Tasks
from geo.distance import distance_m
from notify.channel import Channel
from notify.websocket import SocketHub

log = logs.logger(__name__)

TOKENS_REVOKED = 4401
TIDY_S = 30.0
COMING_S = 0.25
"""Devices that are coming back at all leave no longer gap than this between one and the next."""
LATE_MS_MAX = 5000


class Dispatcher:
    """One node's dispatch. ``start`` finds what a former life left undone; ``close`` loses nothing.

    ``sleep`` is how a sender waits before it calls a provider again.
    """

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        appender: Appender,
        roster: Roster,
        clock: Clock,
        policies: Policies,
        hub: SocketHub,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        membership: Membership,
        presence: Presence,
        positions: Positions,
        newsroom: Newsroom,
        feeds: FeedPositions,
        bus: Bus,
        look_at_medics: Callable[[], Awaitable[None]],
        grace: Grace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        randbits: RandBits = CHANCE,
    ) -> None:
        self._pool, self._roster, self._clock, self._hub = pool, roster, clock, hub
        self._policies, self._membership = policies, membership
        self._presence, self._feeds, self._bus = presence, feeds, bus
        self._digit_pairs = DigitPairs()
        self._socket_opened_at = -math.inf
        self._chores = Tasks()
        self.wakeups = Wakeups()
        self.pause = Pause(pool)
        self.positions, self.newsroom = positions, newsroom
        self.decisions = Decisions(
            appender=appender,
            roster=roster,
            clock=clock,
            policies=policies,
            load=lambda incident_id: incidents.load(pool, incident_id),
            prepare=lambda part: self.outgoing.prepare(part),
            react=self._react,
            resume=self._resume,
            gone=lambda live: self._her_alerts.gone(live),
            lost=self._lost,
            digit_pairs=self._digit_pairs,
            metrics=metrics,
            membership=membership,
            randbits=randbits,
            paused=lambda: self.pause.on,
            look_at_medics=look_at_medics,
        )
        self.outgoing = Outgoing(
            pool=pool,
            roster=roster,
            presence=presence,
            clock=clock,
            hub=hub,
            channels=channels,
            decisions=self.decisions,
            membership=membership,
            grace=grace,
            on_blocked=self._blocked,
            sleep=sleep,
            paused=lambda: self.pause.on,
        )
        self._her_alerts = HerAlerts(self.decisions)
        self._lost_alerts = LostAlerts(
            self.decisions,
            hub=hub,
            roster=roster,
            clock=clock,
            sleep=sleep,
            paused=lambda: self.pause.on,
        )
        self._texts = Texts(pool, clock, self.decisions, self.answer, paused=lambda: self.pause.on)

    async def read_digits(self) -> None:
        """Which digits medics were given last, as far as an answer to them is taken still."""
        since = self._clock.now_ms() - LATE_ANSWER_MS
        self._digit_pairs.given_to_all(await alerts.digit_pairs(self._pool, since=since), at=since)

    async def start(self) -> None:
        """Takes up what is live or owed, or holds it. The roster has its medics and the digits are read."""
        await self.pause.begin()
        await self.keep_policies()
        await take_up_owed(self._pool, self._membership, self.decisions)
        await self.outgoing.look()
        for chore in (self.positions.run(), self.outgoing.run(), self._tidy_up()):
            self._chores.spawn(chore)
        since = self._clock.now_ms() - KEEP_ENDED_MS
        untold = take_up_untold(self._pool, self.decisions, since, self._devices_come)
        self._taking_up = self._chores.spawn(untold)

    async def keep_policies(self) -> None:
        """An incident is opened only with one that the database has."""
        await kept.keep(self._pool, self._policies.values())

    async def close(self) -> None:
        """Sends in flight come to their outcome, every decision is committed, positions are saved."""
        await self._chores.cancel()
        await self._lost_alerts.close()
        await self.outgoing.close()
        await self.decisions.close()
        await self.outgoing.chores_done()
        try:
            await self.positions.flush()
        except DATABASE_TROUBLE as error:
            log.warning("positions not saved", error=logs.describe(error), waiting=self.positions.waiting)

    # --- control rooms

    async def open(
        self,
        room_id: str,
        key_id: str,
        new: NewIncident,
        remember: Callable[[str], Remembered] | None = None,
    ) -> Record:
        """Opens an incident and sends its first alerts. Raises ReferenceTaken, KeyTaken, Unavailable."""
        return await self.decisions.open(room_id, key_id, new, remember)

    async def update(self, incident_id: str, key_id: str, change: Change) -> Record:
        return await self.decisions.update(incident_id, key_id, change)

    async def more(
        self, incident_id: str, key_id: str, count: int, remember: Remembered | None = None
    ) -> Record:
        return await self.decisions.more(incident_id, key_id, count, remember)

    async def command(
        self,
        incident_id: str,
        key_id: str,
        kind: type[c.Enough | c.Cancel | c.Close | c.Reopen],
        remember: Remembered | None = None,
    ) -> Record:
        return await self.decisions.command(incident_id, key_id, kind, remember)

    async def get(self, incident_id: str) -> Record | None:
        return await self.decisions.get(incident_id)

    # --- medics

    async def answer(
        self, medic_id: str, alert: str, answer: e.Answer, channel: str
    ) -> list[tuple[str, str]]:
        """Id and state after the commit: of the alert it counts for, then of the one named, if that is older.

        LookupError: not hers; Refused: not taken; Overloaded.
        """
        live, n = await self._hers(medic_id, alert)
        make = answering(live, medic_id, n, answer, channel, self._roster)
        state = (await self.decisions.answer(live.id, make)).state
        counts_for = state.newest_of(n)
        told = [counts_for] if counts_for.n == n else [counts_for, state.alert(n)]
        return [(alert_id(live.id, one.n), one.state) for one in told]

    async def seen(self, medic_id: str, alert: str, channel: str) -> str:
        """A person opened it."""
        live, n = await self._hers(medic_id, alert)
        record = await self.decisions.answer(live.id, seeing(medic_id, n, channel))
        return record.state.alert(n).state

    async def acknowledged(self, medic_id: str, message_id: str) -> None:
        """Her device has a message. What is not hers, or not known, is ignored. Raises Unavailable."""
        fault_points.reached("receipt_read")
        self._hub.acknowledged(medic_id, message_id)
        self._lost_alerts.acknowledged(medic_id, message_id)
        known = parse_notification_id(message_id)
        if known is None:
            return
        try:
            live, n = await self._hers(medic_id, alert_id(known.incident_id, known.n))
        except LookupError:
            return
        if known.n == n:
            self.outgoing.acknowledged(live, known.n, known.k)
        self.decisions.memory.let_go(live)  # a second device's word about one that was over

    async def settled(
        self, notification: str, result: Result, *, reason: str = "", definite: bool = False
    ) -> bool:
        """A provider's word about a notification, committed when it returns; False: none such."""
        known = parse_notification_id(notification)
        return known is not None and await self.outgoing.settled(known, result, reason, definite)

    async def answered_by_sms(self, phone: str, text: str, provider_id: str) -> str | None:
        """What a phone wrote: an answer to the alert whose digits it names, or told as not understood.

        A text that the provider brings twice counts once. Nobody's, and one that answers nothing, is ignored.
        Gives the text to send back, where she said that she is coming and is not to.
        """
        return await self._texts.take(phone, text, provider_id)

    async def alerts_of(self, medic_id: str) -> list[Shown]:
        """What her device is to show: accepted and arrived, open, and missed ones of live incidents."""
        medic = self._roster.get(medic_id)
        return [] if medic is None else self._her_alerts.shown(medic)

    def socket_opened(self, medic_id: str) -> None:
        """After the hub has it: she is reachable, and is told what her device does not have."""
        self._socket_opened_at = asyncio.get_running_loop().time()
        self._presence.opened(medic_id)
        self.newsroom.socket(medic_id, True)
        for live, n in self._her_alerts.of(medic_id):
            self.outgoing.socket_appeared(live, n)
        self._lost_alerts.socket_appeared(medic_id)

    def socket_closed(self, medic_id: str) -> None:
        """After the hub has let it go."""
        if not self._hub.connected(medic_id):
            self._presence.closed(medic_id)
            self.newsroom.socket(medic_id, False)

    def sockets_vanished(self, medic_ids: Iterable[str]) -> None:
        """These had their last socket on another node, and have it no more."""
        for medic_id in medic_ids:
            for live, n in self._her_alerts.of(medic_id):
                self.outgoing.socket_vanished(live, n)

    async def moved(self, fix: Fix) -> None:
        """Her position: the next decision sees it. An accepted medic who is there has arrived."""
        self.moved_many((fix,))

    def moved_many(self, fixes: Iterable[Fix]) -> None:
        """The same for many medics, far faster. ValueError, and none is taken, if one is no position."""
        now = self._clock.now_ms()
        new = [fix for fix in (_by(fix, now) for fix in fixes) if self._roster.would_move(fix)]
        self._roster.move_many(new)
        for fix in new:
            self.positions.put(fix)
            self.newsroom.moved(fix)
            for held in self._roster.held(fix.medic_id):
                if held.engaged and (live := self.decisions.memory.get(held.incident_id)) is not None:
                    self._note_arrival(live, held.n, fix)

    async def medic_changed(self, medic: Medic, *, before: Medic | None) -> None:
        """Her row has changed, in the store already. Suspending and opting out end alerts by the rules.

        Raises Unavailable where it is not known yet whether they have ended; they will.
        """
        self._roster.put(medic)
        await self.ask_no_more(medic.id, asked_until_now=before is not None and why_left(before) is None)

    async def ask_no_more(self, medic_id: str, *, asked_until_now: bool) -> None:
        """Ends what she holds where the roster has her suspended or opted out; else nothing.

        ``asked_until_now``: what is being decided may ask her still, and is waited for. Raises Unavailable.
        """
        why = self._why_left(medic_id)
        if why is not None and (asked_until_now or self._roster.held(medic_id)):
            await self._leave(medic_id, why)

    async def delete_medic(self, medic_id: str) -> None:
        """At her own wish. Where it fails she is asked as before: she may never say it again.

        Raises Unavailable and what the database raises.
        """
        before = self._roster.get(medic_id)
        try:
            await self.medic_deleted(medic_id)
        except Exception:
            # Where only the reply was lost, the roster hears that she is gone like any other node.
            if before is not None and self._roster.get(medic_id) == _asked_no_more(before):
                self._roster.put(before)
            raise

    async def medic_deleted(self, medic_id: str) -> None:
        """Her alerts are declined, then everything that is hers is erased. Raises Unavailable before that."""
        if (medic := self._roster.get(medic_id)) is not None:
            self._roster.put(_asked_no_more(medic))
        await self._leave(medic_id, "deleted")
        if not await medics.delete(self._pool, medic_id):
            # Elsewhere: until this node heard of it, it may have asked her still.
            considered = [live.id for live in self.decisions.memory.all()]
            await medics.forget(self._pool, medic_id, considered)
        self._roster.remove(medic_id)
        self.positions.drop(medic_id)
        self._digit_pairs.forget(medic_id)
        self.sockets_vanished((medic_id,))  # what was to be told her has nobody to tell
        self._her_alerts.forget(medic_id)
        self._lost_alerts.forget(medic_id)
        for held in self._roster.held(medic_id):  # she may have answered to the last
            self._roster.release_alert(medic_id, held.incident_id, held.n)
        self.sign_out_here(medic_id)

    def signed_out(self, medic_id: str) -> None:
        """Her tokens are revoked: her sockets are closed, on every node."""
        self.newsroom.signed_out(medic_id)
        self.sign_out_here(medic_id)

    def sign_out_here(self, medic_id: str) -> None:
        """Another node has signed her out."""
        self._hub.forget(medic_id)
        self._hub.close_medic(medic_id, TOKENS_REVOKED)

    def who_was_signed_out_is_not_known(self) -> None:
        """Every device here says hello once more."""
        self._hub.send_away()

    # --- the service

    def checks(self) -> list[Check]:
        """How dispatch is, for /readyz."""
        late_ms = self.decisions.late_ms()
        on_time = late_ms < LATE_MS_MAX
        hint = "the node is overloaded or its database slow; see dispatch_commit_seconds"
        detail = f"the most overdue tick is {late_ms} ms late"
        timers = Check("timers", on_time, detail, "" if on_time else hint)
        awaited = callbacks(self.decisions.lives(), self._clock.now_ms())
        return [*self.pause.checks(), timers, *self.outgoing.checks(), awaited]

    async def tidy(self) -> None:
        """Keeps the clock right and memory small."""
        try:
            await self._clock.resync(self._pool)
        except DATABASE_TROUBLE as error:
            log.warning("clock not read", error=logs.describe(error))
        self.decisions.tick_all_due()
        self.decisions.forget_ended()
        self._lost_alerts.tidy()
        self._digit_pairs.forget_before(self._clock.now_ms() - LATE_ANSWER_MS)

    # --- within

    async def _hers(self, medic_id: str, alert: str) -> tuple[Live, int]:
        known = parse_alert_id(alert)
        if known is None:
            raise LookupError("no such alert")
        live = await self.decisions.memory.live(known.incident_id)
        if live.medic_of(known.n) is None and not self._membership.alone:
            live = await self.decisions.catch_up(known.incident_id)  # asked by another node a moment ago
        if live.medic_of(known.n) != medic_id:
            raise LookupError("no such alert")
        return live, known.n

    def _react(self, live: Live, happened: tuple[e.Event, ...]) -> None:
        self.outgoing.react(live, happened)
        self._her_alerts.happened(live, happened)
        self.pause.keep_to(self.decisions, live)
        if live.record is not None:
            feed_pos = live.record.feed_pos
            self._feeds.committed(live.room_id, feed_pos - len(happened), feed_pos)
            self.wakeups.wake(live.room_id, feed_pos)
            self._bus.hint()

    def _resume(self, live: Live, doubt: bool) -> None:
        self._her_alerts.loaded(live)
        self.pause.keep_to(self.decisions, live)
        self.outgoing.resume(live, doubt)
        if self.decisions.ours(live):
            self._end_what_was_left_open(live)
        if live.record is not None:
            self.wakeups.wake(live.room_id, live.record.feed_pos)

    def _lost(self, record: Record, asked: list[Asked]) -> None:
        for one in asked:
            self._her_alerts.drop(one.medic_id, AlertId(record.id, one.n))
        self._lost_alerts.lost(record, asked)

    def _devices_come(self) -> bool:
        return asyncio.get_running_loop().time() - self._socket_opened_at < COMING_S

    def _end_what_was_left_open(self, live: Live) -> None:
        """Alerts of medics who left: the node that was to end them died before it did."""
        for medic_id in live.firsts:
            if (why := self._why_left(medic_id)) is None:
                continue
            for held in self._roster.held(medic_id):
                if held.incident_id == live.id:
                    self.decisions.post(live, leaving(held.n, why))

    def _why_left(self, medic_id: str) -> Literal["suspended", "opted_out"] | None:
        """None too of one who is not known, or not any more."""
        medic = self._roster.get(medic_id)
        return None if medic is None else why_left(medic)

    def saw_pause(self, paused_at: int | None) -> None:
        """Since when the service is paused, if it is."""
        self.pause.saw(paused_at, self.decisions, self._go_on)

    def _go_on(self, live: Live) -> None:
        """After a pause: what is owed goes out, also to devices that came back meanwhile."""
        self.outgoing.resume(live, doubt=True)
        for n, asked in live.by_n.items():
            if self._hub.connected(asked.medic_id):
                self.outgoing.socket_appeared(live, n)

    def _note_arrival(self, live: Live, n: int, fix: Fix) -> None:
        record = live.record
        if record is None or record.details is None or record.state.alert(n).state != "accepted":
            return
        at = record.details.position
        metres = float(distance_m(fix.lat, fix.lon, at.lat, at.lon))
        if has_arrived(record.policy, distance_m=metres, accuracy_m=fix.accuracy_m):
            self.decisions.post(live, arriving(fix.medic_id, n), ("arrived", n, 0))

    async def _leave(self, medic_id: str, why: Literal["suspended", "opted_out", "deleted"]) -> None:
        """The roster offers her no more; what was being decided before may still have asked her."""
        await self.decisions.undisturbed()
        unknown: Unavailable | None = None
        for held in self._roster.held(medic_id):
            live = await self.decisions.memory.live(held.incident_id)
            try:
                await self.decisions.order(held.incident_id, leaving(held.n, why))
            except Unavailable as error:
                self.decisions.post(live, leaving(held.n, why))
                unknown = error
        if unknown is not None:
            raise unknown

    def _blocked(self, medic_id: str, channel: str) -> None:
        """A carrier will bring her nothing over this channel any more: shown to her and to control rooms."""
        medic = self._roster.get(medic_id)
        if medic is None or channel in medic.blocked:
            return
        self._roster.put(_without(medic, channel))
        self.outgoing.chore(medics.change(self._pool, medic_id, lambda now: _without(now, channel)))

    async def _tidy_up(self) -> None:
        while True:
            await asyncio.sleep(TIDY_S)
            try:
                await self.tidy()
            except Exception as error:
                log.error("not tidied up", error=logs.describe(error))


def _by(fix: Fix, now: int) -> Fix:
    """A device's clock may be ahead."""
    return fix if fix.at <= now else msgspec.structs.replace(fix, at=now)


def _asked_no_more(medic: Medic) -> Medic:
    return msgspec.structs.replace(medic, available=False)


def _without(medic: Medic, channel: str) -> Medic:
    return msgspec.structs.replace(medic, blocked=tuple(dict.fromkeys((*medic.blocked, channel))))
