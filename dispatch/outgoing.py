"""Notifications on their way out: to a socket, or to a provider's sender; each comes to an outcome."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

import asyncpg

from dispatch import logs
from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Alert, Note
from dispatch.decisions import Decisions
from dispatch.ids import NotificationId, alert_id, notification_id
from dispatch.live import Live, MakeCommand
from dispatch.messages import message
from dispatch.records import Medic
from dispatch.roster import Roster
from dispatch.sender import Letter, Ready, Result, Sender
from dispatch.store import notifications
from notify.channel import Channel, Sent
from notify.message import Message
from notify.websocket import SocketHub

log = logs.logger(__name__)

WEBSOCKET = "websocket"
LOOK_S = 1.0
"""How often leases are renewed, and looked at for what a dead node left."""
LEASE_MS = 5_000
"""How long what a node was about to send waits for it, before another takes it over."""


class Outgoing:
    """Sockets are written at once, in the reaction to the commit; everything else by the ``Sender``."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        roster: Roster,
        clock: Clock,
        hub: SocketHub,
        channels: Mapping[str, Channel],
        decisions: Decisions,
        node_id: str,
        reconnect_grace_until: int,
        on_blocked: Callable[[str, str], None],
    ) -> None:
        self._pool, self._roster, self._clock, self._hub = pool, roster, clock, hub
        self._channels = channels
        self._decisions = decisions
        self._node_id = node_id
        self._grace_until = reconnect_grace_until
        self._on_blocked = on_blocked
        self._expected: dict[NotificationId, None] = {}
        self._chores: set[asyncio.Task[Any]] = set()
        self.sender = Sender(channels, self)

    # --- reactions

    def react(self, live: Live, happened: tuple[e.Event, ...]) -> None:
        """Sends what these events requested, and lets the hub forget what an answer has settled."""
        for event in happened:
            match event:
                case e.NotificationRequested(n=n, k=k):
                    self._send(live, n, k)
                case e.AlertAnswered(n=n) if (medic_id := live.medic_of(n)) is not None:
                    self._hub.forget(medic_id, alert_id(live.id, n))

    def resume(self, live: Live) -> None:
        """After a load: what has no outcome is brought to one; devices get what they have not read."""
        if live.record is None:
            return
        for alert in live.record.state.alerts:
            for note in alert.notes:
                if note.channel == WEBSOCKET and self._unread(alert, note):
                    self._to_sockets(live, alert.n, note.k)
        if any(note.pending and note.channel != WEBSOCKET for note in _notes(live)):
            self.chore(self._take_up(live))

    def socket_opened(self, live: Live, n: int) -> None:
        """A socket appeared: what it may lack is put on it, what had failed is asked for anew."""
        if live.record is None:
            return
        alert = live.record.state.alert(n)
        failed = False
        for note in alert.notes:
            if note.channel == WEBSOCKET:
                failed = failed or note.state == "failed"
                if self._unread(alert, note) and not self._kept(live, n, note.k):
                    self._to_sockets(live, n, note.k)
        if failed:
            self._decisions.post(
                live.id, lambda now: c.SocketAppeared(at=now.at, by="medic", policy=now.rules, n=n)
            )

    def delivered(self, live: Live, n: int, k: int) -> None:
        """A device acknowledged it."""
        self._decisions.post(live.id, _settling(n, k, "delivered", by="medic"))

    async def settled(self, known: NotificationId, result: str, reason: str, definite: bool) -> bool:
        """A provider's word, committed when it returns."""
        try:
            make = _settling(known.n, known.k, result, reason=reason, definite=definite)
            live = await self._decisions.live(known.incident_id)
            await self._decisions.order(known.incident_id, make)
        except LookupError:
            return False
        if reason == "opted_out" and (medic_id := live.medic_of(known.n)) is not None:
            self._on_blocked(medic_id, self._note(live, known.n, known.k).channel)
        return True

    async def run(self) -> None:
        """Ends the grace for sockets, and looks for what a dead node left, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._clock.now_ms() >= self._grace_until:
                self._end_grace()
            try:
                await self._keep_leases()
            except (OSError, LookupError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("rows not looked at", error=type(error).__name__)

    async def _keep_leases(self) -> None:
        at = self._clock.now_ms()
        node, until = self._node_id, at + LEASE_MS
        await notifications.renew(self._pool, by=node, at=at, until=until)
        for row in await notifications.take_over(self._pool, by=node, at=at, until=until, limit=100):
            live = await self._decisions.live(row.incident_id)
            if row.channel != WEBSOCKET:
                self.sender.send(Letter(live.id, row.n, row.k, row.channel, row.attempted_at))
            elif self._note(live, row.n, row.k).pending:
                self._to_sockets(live, row.n, row.k)

    async def close(self) -> None:
        await self.sender.close()
        for task in tuple(self._chores):
            await task

    def chore(self, work: Coroutine[Any, Any, Any]) -> None:
        """Something to be done in the background; ``close`` waits for it."""
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def checks(self) -> Iterator[tuple[str, bool, str, str]]:
        for name in self._channels:
            trouble = self.sender.trouble.get(name)
            detail = f"{self.sender.waiting} waiting" + (f"; the provider: {trouble}" if trouble else "")
            hint = "see the provider's status and the account's credentials" if trouble else ""
            yield name, trouble is None, detail, hint

    # --- the sender's office

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def ready(self, letter: Letter) -> Ready | str:
        live = self._decisions.loaded(letter.incident_id)
        if live is None or live.record is None:
            return "gone"
        medic_id = live.medic_of(letter.n)
        medic = self._roster.get(medic_id) if medic_id is not None else None
        if medic is None:
            return "deleted"
        if letter.channel in medic.blocked or letter.channel not in medic.channels:
            return "blocked"
        alert = live.record.state.alert(letter.n)
        note = self._note(live, letter.n, letter.k)
        if not _still_to_be_told(live, alert, note):
            return "no_longer_true"
        return Ready(self._message(live, letter.n, note, medic), medic.phone)

    async def attempt(self, letter: Letter) -> int | None:
        at = self._clock.now_ms()
        ours = await notifications.attempt(self._pool, *letter[:3], by=self._node_id, at=at)
        return at if ours else None

    async def take_back(self, letter: Letter) -> bool:
        return await notifications.take_back(self._pool, *letter[:3], by=self._node_id)

    def settle(self, letter: Letter, result: Result, *, reason: str, definite: bool) -> None:
        make = _settling(letter.n, letter.k, result, reason=reason, definite=definite)
        self._decisions.post(letter.incident_id, make)
        live = self._decisions.loaded(letter.incident_id)
        medic_id = live.medic_of(letter.n) if live else None
        if reason == "opted_out" and medic_id is not None:
            self._on_blocked(medic_id, letter.channel)

    # --- within

    def _send(self, live: Live, n: int, k: int) -> None:
        note = self._note(live, n, k)
        if not note.pending:
            return
        if note.channel == WEBSOCKET:
            self._to_sockets(live, n, k)
        else:
            self.sender.send(Letter(live.id, n, k, note.channel))

    def _to_sockets(self, live: Live, n: int, k: int) -> None:
        """On all her sockets; without one it failed, but for a while after a start, when she is expected."""
        known = NotificationId(live.id, n, k)
        note = self._note(live, n, k)
        medic_id = live.medic_of(n)
        medic = self._roster.get(medic_id) if medic_id is not None else None
        if medic is None:
            self._settle_socket(live, n, k, "failed", "deleted")
            return
        outcome = self._hub.put(medic.id, self._message(live, n, note, medic))
        if isinstance(outcome, Sent):
            self._expected.pop(known, None)
            if note.pending:
                self._settle_socket(live, n, k, "sent", "")
        elif self._clock.now_ms() < self._grace_until:
            self._expected[known] = None
        elif note.pending:
            self._settle_socket(live, n, k, "failed", "no_socket")

    def _settle_socket(self, live: Live, n: int, k: int, result: Result, reason: str) -> None:
        self._decisions.post(live.id, _settling(n, k, result, reason=reason, definite=result == "failed"))

    def _end_grace(self) -> None:
        expected, self._expected = self._expected, {}
        for known in expected:
            live = self._decisions.loaded(known.incident_id)
            if live is not None and self._note(live, known.n, known.k).pending:
                self._to_sockets(live, known.n, known.k)

    async def _take_up(self, live: Live) -> None:
        for row in await notifications.unsettled(self._pool, live.id):
            if row.channel != WEBSOCKET:
                self.sender.send(Letter(live.id, row.n, row.k, row.channel, row.attempted_at))

    def _unread(self, alert: Alert, note: Note) -> bool:
        """What a device may lack: not acknowledged, and still what she is to be told."""
        if note.state not in ("requested", "sent"):
            return False
        if note.purpose == "alert":
            return alert.open and alert.seen_at is None
        return note.message == alert.message

    def _kept(self, live: Live, n: int, k: int) -> bool:
        medic_id = live.medic_of(n)
        return medic_id is not None and self._hub.keeps(medic_id, notification_id(live.id, n, k))

    def _note(self, live: Live, n: int, k: int) -> Note:
        assert live.record is not None
        return next(note for note in live.record.state.alert(n).notes if note.k == k)

    def _message(self, live: Live, n: int, note: Note, medic: Medic) -> Message:
        assert live.record is not None
        record, metres = live.record, None
        if note.purpose == "update":
            at = record.details.position
            way = self._roster.eta(
                medic.id,
                lat=at.lat,
                lon=at.lon,
                at=self._clock.now_ms(),
                fix_stale_s=record.policy.fix_stale_s,
            )
            metres = way[0] if way else None
        return message(record, live.by_n[n], note.k, note.purpose, medic, metres)


def _still_to_be_told(live: Live, alert: Alert, note: Note) -> bool:
    assert live.record is not None
    if note.purpose == "alert":
        return alert.open and alert.seen_at is None and live.record.state.state == "open"
    return note.message == alert.message and note.pending


def _notes(live: Live) -> Iterator[Note]:
    assert live.record is not None
    for alert in live.record.state.alerts:
        yield from alert.notes


def _settling(
    n: int, k: int, result: Any, *, reason: str = "", definite: bool = False, by: e.By = "provider"
) -> MakeCommand:
    return lambda now: c.Settle(
        at=now.at, by=by, policy=now.rules, n=n, k=k, result=result, reason=reason, definite=definite
    )


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except Exception as error:
        log.error("background work failed", error=logs.describe(error))
