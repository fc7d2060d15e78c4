"""Notifications by way of a provider (SMS): what the sender asks of the service, and whose they are to send.

Each has a row that names its node, which sends it; what a dead node left is taken over.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import asyncpg

from dispatch import fault_points, logs
from dispatch.check import Check
from dispatch.clock import Clock
from dispatch.deciding.decisions import Decisions
from dispatch.deciding.live import Live
from dispatch.deciding.orders import settling
from dispatch.nodes.membership import Membership
from dispatch.roster.roster import Roster
from dispatch.sending.messages import message_now, still_holds
from dispatch.sending.sender import Letter, Ready, Result, Sender
from dispatch.sending.to_sockets import WEBSOCKET
from dispatch.store import notifications
from dispatch.store.trouble import DATABASE_TROUBLE
from notify.channel import Channel

log = logs.logger(__name__)

TAKE_OVER_MAX = 1000
AGAIN_S = 1.0
BEHIND_MS_MAX = 500
"""By how much an attempt's time may lie before the database's own: more than a request takes. Beyond that the
clock here may be behind, as it is after the machine has stood still."""
T = TypeVar("T")


class ToProviders:
    """The sender's office. ``on_blocked(medic_id, channel)``: a carrier will bring her nothing more."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        roster: Roster,
        clock: Clock,
        channels: Mapping[str, Channel],
        decisions: Decisions,
        membership: Membership,
        on_blocked: Callable[[str, str], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._pool, self._roster, self._clock = pool, roster, clock
        self._channels = channels
        self._decisions = decisions
        self._membership = membership
        self._on_blocked = on_blocked
        self._taken_over: deque[notifications.Unsettled] = deque()
        self._unsure = False
        self.sender = Sender(channels, self, sleep=sleep)

    def send(self, live: Live, n: int, k: int, channel: str) -> None:
        self.sender.send(Letter(live.id, n, k, channel))

    async def take_up(self, live: Live) -> None:
        """After a doubt: what of the incident has no outcome is brought to one, where this node has it."""
        for row in await self._surely(lambda: notifications.unsettled(self._pool, live.id)) or ():
            self.sender.send(Letter(live.id, row.n, row.k, row.channel, row.attempted_at))

    async def look(self) -> None:
        """Takes over what a dead node left. Raises what the database raises."""
        node_id = self._membership.id
        if self._unsure:  # the reply to the last was lost, perhaps with what it took over
            self._taken_over += await notifications.held(self._pool, by=node_id)
        self._unsure = True
        self._taken_over += await notifications.take_over(self._pool, by=node_id, limit=TAKE_OVER_MAX)
        self._unsure = False
        while self._taken_over:
            row = self._taken_over[0]
            try:
                live = await self._decisions.memory.live(row.incident_id)
                if live.note(row.n, row.k) is None:  # requested elsewhere, and not followed yet
                    await self._decisions.catch_up(row.incident_id)
            except LookupError:
                log.warning("notification without its incident", incident_id=row.incident_id)
            else:
                self.sender.send(Letter(row.incident_id, row.n, row.k, row.channel, row.attempted_at))
            self._taken_over.popleft()

    def blocked(self, live: Live, n: int, k: int, reason: str) -> None:
        """Opted out at her carrier: no SMS of ours reaches her until she opts in."""
        medic_id, note = live.medic_of(n), live.note(n, k)
        if reason == "opted_out" and medic_id is not None and note is not None:
            self._on_blocked(medic_id, note.channel)

    def checks(self) -> Iterator[Check]:
        """A provider in trouble does not keep the others from their work: told, and not needed."""
        for name in self._channels:
            if name == WEBSOCKET:
                continue
            trouble = self.sender.trouble.get(name)
            detail = f"{self.sender.waiting} waiting" + (f"; the provider: {trouble}" if trouble else "")
            hint = "see the provider's status and the account's credentials" if trouble else ""
            yield Check(name, trouble is None, detail, hint, needed=False)

    # --- the office

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def ready(self, letter: Letter) -> Ready | str | None:
        live = self._decisions.memory.get(letter.incident_id)
        note = live.note(letter.n, letter.k) if live is not None else None
        if live is None or live.record is None or note is None or not note.pending:
            return None
        medic_id = live.medic_of(letter.n)
        medic = self._roster.get(medic_id) if medic_id is not None else None
        if medic is None or live.record.details is None:
            return "deleted"
        hindrance = None
        if letter.channel in medic.blocked or letter.channel not in medic.channels:
            hindrance = "blocked"
        elif not still_holds(live.record.state, live.record.state.alert(letter.n), note):
            hindrance = "no_longer_true"
        message = message_now(live, letter.n, note, medic, self._roster, self._clock.now_ms())
        return Ready(message, medic.phone, hindrance)

    async def attempt(self, letter: Letter) -> int | None:
        times: list[int] = []

        async def attempt() -> bool:
            fault_points.reached("before_attempt")
            unheard = tuple(times)
            times.append(self._clock.now_ms())
            there = await notifications.attempt(
                self._pool, *letter[:3], by=self._membership.id, at=times[-1], unheard=unheard
            )
            if there is not None and there > times[-1] + BEHIND_MS_MAX:
                # Else who asks about it later may reckon from a time long before the call.
                await self._clock.resync(self._pool)
            return there is not None

        return times[-1] if await self._surely(attempt) else None

    async def take_back(self, letter: Letter, attempted_at: int) -> bool:
        row, node_id = letter[:3], self._membership.id
        taken = self._surely(lambda: notifications.take_back(self._pool, *row, by=node_id, at=attempted_at))
        return bool(await taken)

    def settle(self, letter: Letter, result: Result, *, reason: str = "", definite: bool = False) -> None:
        live = self._decisions.memory.get(letter.incident_id)
        if live is not None:
            make = settling(letter.n, letter.k, result, reason=reason, definite=definite)
            self._decisions.post(live, make)
            self.blocked(live, letter.n, letter.k, reason)

    async def _surely(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Calls the database through its troubles; None: the service stops before it could."""
        while True:
            try:
                return await call()
            except DATABASE_TROUBLE as error:
                log.warning("notifications not reached", error=logs.describe(error))
            if self.sender.closing:
                return None
            await asyncio.sleep(AGAIN_S)
