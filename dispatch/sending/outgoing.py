"""Notifications on their way out: to a socket, or to a provider's sender; each comes to an outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any

import asyncpg

from dispatch import fault_points, logs
from dispatch.check import Check
from dispatch.clock import Clock
from dispatch.core import events as e
from dispatch.deciding.decisions import Decisions
from dispatch.deciding.live import Live
from dispatch.deciding.orders import settling
from dispatch.deciding.plan import Part
from dispatch.grace import Grace
from dispatch.ids import NotificationId
from dispatch.nodes.membership import Membership
from dispatch.nodes.presence import Presence
from dispatch.roster.roster import Roster
from dispatch.sending.messages import still_holds
from dispatch.sending.sender import Result, Sender
from dispatch.sending.to_providers import ToProviders
from dispatch.sending.to_sockets import WEBSOCKET, ToSockets
from dispatch.store.appends import Unavailable
from dispatch.store.trouble import DATABASE_TROUBLE
from dispatch.tasks import Tasks
from notify.channel import Channel
from notify.websocket import SocketHub

log = logs.logger(__name__)

LOOK_S = 1.0
"""How often it is looked for what a dead node left."""


class Outgoing:
    """Sockets are written at once, in the reaction to the commit; everything else by the ``Sender``.

    While ``paused`` nothing is sent: what was requested meanwhile is found by ``resume`` after it.
    """

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        roster: Roster,
        presence: Presence,
        clock: Clock,
        hub: SocketHub,
        channels: Mapping[str, Channel],
        decisions: Decisions,
        membership: Membership,
        grace: Grace,
        on_blocked: Callable[[str, str], None],
        sleep: Callable[[float], Awaitable[None]],
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._decisions, self._paused = decisions, paused
        self._chores = Tasks()
        self._sockets = ToSockets(
            roster=roster,
            presence=presence,
            clock=clock,
            hub=hub,
            decisions=decisions,
            grace=grace,
        )
        self._providers = ToProviders(
            pool=pool,
            roster=roster,
            clock=clock,
            channels=channels,
            decisions=decisions,
            membership=membership,
            on_blocked=on_blocked,
            sleep=sleep,
        )

    @property
    def sender(self) -> Sender:
        return self._providers.sender

    @property
    def waiting(self) -> int:
        """Notifications that have not come to an outcome."""
        return self._sockets.waiting + self.sender.waiting

    # --- reactions

    def prepare(self, part: Part) -> None:
        """What ``react`` will put on sockets once the plan is committed, made ready meanwhile."""
        if not self._paused():
            self._sockets.prepare(part)

    def react(self, live: Live, happened: tuple[e.Event, ...]) -> None:
        """Sends what these events requested, and lets the hub forget what an answer has settled."""
        fault_points.reached("before_sockets")
        for event in happened:
            match event:
                case e.NotificationRequested():
                    self._send(live, event)
                case e.AlertAnswered(n=n, channel=channel):
                    self._sockets.answered(live, n, told=channel == WEBSOCKET)
                case e.AlertExpired(n=n) | e.AlertFailed(n=n):
                    self._sockets.forget(live, n)
        self._sockets.let_go(live, _touched(happened))
        fault_points.reached("after_sockets")

    def resume(self, live: Live, doubt: bool) -> None:
        """After a load: what has no outcome is brought to one; devices get what they have not read.

        Without ``doubt``, what goes by way of a provider is under way already, here or at another node.
        """
        if self._paused():
            return
        self._sockets.resume(live)
        if not doubt:
            return
        alerts = live.record.state.alerts if live.record is not None else ()
        if any(note.pending and note.channel != WEBSOCKET for alert in alerts for note in alert.notes):
            self.chore(self._providers.take_up(live))

    def socket_appeared(self, live: Live, n: int) -> None:
        """The medic of alert ``n`` has a socket (more)."""
        if self._paused():
            return
        self._sockets.appeared(live, n)

    def socket_vanished(self, live: Live, n: int) -> None:
        """The medic of alert ``n`` had her last socket on another node, and has it no more."""
        self._sockets.vanished(live, n)

    def acknowledged(self, live: Live, n: int, k: int) -> None:
        """A device has it; what came over another channel, or is known to be there, says nothing new."""
        note = live.note(n, k)
        if note is not None and note.channel == WEBSOCKET and note.state != "delivered":
            live.had[n, k] = None
            self._decisions.post(live, settling(n, k, "delivered", by="medic"), ("delivered", n, k))

    async def settled(self, known: NotificationId, result: Result, reason: str, definite: bool) -> bool:
        """A provider's word, committed when it returns; False: there is no such notification."""
        make = settling(known.n, known.k, result, reason=reason, definite=definite)
        try:
            try:
                await self._decisions.order(known.incident_id, make)
            except LookupError:  # requested by another node, a moment ago
                await self._decisions.catch_up(known.incident_id)
                await self._decisions.order(known.incident_id, make)
        except LookupError:
            return False
        if (live := self._decisions.memory.get(known.incident_id)) is not None:
            self._providers.blocked(live, known.n, known.k, reason)
        return True

    # --- the service's life

    async def run(self) -> None:
        """Ends the grace for sockets, and looks for what a dead node left, until cancelled."""
        while True:
            await self.look()  # at once: what a former life left pending is to go out
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        if self._paused():
            return
        self._sockets.end_grace()
        try:
            await self._providers.look()
        except (*DATABASE_TROUBLE, Unavailable) as error:
            log.warning("rows not looked at", error=logs.describe(error))

    async def close(self) -> None:
        """Sends in flight come to their outcome, which is still to be decided then."""
        await self.sender.close()
        self._sockets.close()

    async def chores_done(self) -> None:
        await self._chores.join()

    def chore(self, work: Coroutine[Any, Any, Any]) -> None:
        """Something to be done in the background; ``chores_done`` waits for it."""
        self._chores.spawn(_quietly(work))

    def checks(self) -> Iterator[Check]:
        return self._providers.checks()

    # --- within

    def _send(self, live: Live, event: e.NotificationRequested) -> None:
        note = live.note(event.n, event.k)
        if live.record is None or note is None or not note.pending or self._paused():
            return
        if note.purpose == "stand_down":
            fault_points.reached("stand_down")
        if note.channel == WEBSOCKET:
            # What was decided together with its end rings no phone: `let_go` brings it to its outcome.
            if still_holds(live.record.state, live.record.state.alert(event.n), note):
                self._sockets.put(live, event.n, note)
        else:
            self._providers.send(live, event.n, event.k, note.channel)


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except Exception as error:
        log.error("background work failed", error=logs.describe(error))


def _touched(happened: tuple[e.Event, ...]) -> Iterator[int]:
    """The alerts of which something said may no longer be true: not those that were only just requested."""
    new = {event.n for event in happened if isinstance(event, e.AlertRequested)}
    for event in happened:
        n: int | None = getattr(event, "n", None)
        only_asked = n in new and isinstance(event, e.AlertRequested | e.NotificationRequested)
        if n is not None and not only_asked:
            yield n
