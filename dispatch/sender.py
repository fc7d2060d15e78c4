"""Brings notifications to an end over channels that can not tell a repeat (SMS; later voice).

A notification is sent at most once. The attempt is committed before the provider is called; what is
certainly not sent is tried again until it expires, and what may have been sent is asked of the provider,
never repeated. Immediately before each call it is looked at again: what is no longer true is not sent.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from notify.channel import Channel, Failed, Outcome, Postponed, Sent, Unknown
from notify.message import Message

AT_ONCE_MAX = 100
FOLLOW_UP_S_MAX = 600.0
"""For how long an update or a stand-down is tried again where the provider is in trouble."""
ASK_S_MAX = 180.0
"""For how long the provider is asked what became of a send; then it stays unknown."""
PAUSE_S_MIN = 0.5


class Letter(NamedTuple):
    """A notification with its channel. ``attempted_at``: when an earlier try was committed, if any was."""

    incident_id: str
    n: int
    k: int
    channel: str
    attempted_at: int | None = None


class Ready(NamedTuple):
    """What is to be sent now, and to whom (a phone number)."""

    message: Message
    address: str


Result = Literal["sent", "delivered", "failed"]


class Office(Protocol):
    """What the sender asks of the service."""

    def ready(self, letter: Letter) -> Ready | str:
        """The message as it is now, or the reason why it is not to be sent (any more)."""
        ...

    async def attempt(self, letter: Letter) -> int | None:
        """Commits that this node calls the provider now; the time, or None where it may not."""
        ...

    async def take_back(self, letter: Letter) -> bool:
        """Commits that the provider certainly did not take it; False where it is not this node's any more."""
        ...

    def settle(self, letter: Letter, result: Result, *, reason: str, definite: bool) -> None:
        """Settles its outcome."""
        ...

    def now_ms(self) -> int: ...


class Sender:
    """One task a notification, at most ``AT_ONCE_MAX`` calls to providers at once."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        office: Office,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._channels = channels
        self._office = office
        self._sleep = sleep
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._tasks: dict[Letter, asyncio.Task[None]] = {}
        self._calls = 0
        self._no_call = asyncio.Event()
        self._closing = False
        self.trouble: dict[str, str] = {}
        """By channel: why its provider took nothing the last time it was called."""

    @property
    def waiting(self) -> int:
        """Notifications without an outcome."""
        return len(self._tasks)

    def send(self, letter: Letter) -> None:
        """Begins to bring it to an end; what is under way already goes on."""
        if letter in self._tasks or self._closing:
            return
        task = asyncio.create_task(self._bring(letter), name=f"send {letter.channel}")
        self._tasks[letter] = task
        task.add_done_callback(lambda _: self._tasks.pop(letter, None))

    async def close(self, patience_s: float = 12.0) -> None:
        """Begins no call any more, and lets those in flight come to their outcome.

        What has none is left requested: the next start finds it.
        """
        self._closing = True
        if self._calls:
            self._no_call.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._no_call.wait(), patience_s)
        for task in list(self._tasks.values()):
            task.cancel()

    async def _bring(self, letter: Letter) -> None:
        channel = self._channels.get(letter.channel)
        if channel is None:
            self._fail(letter, "channel_off", definite=True)
            return
        began_ms = self._office.now_ms()
        since_ms = letter.attempted_at
        while not self._closing:
            ready = self._office.ready(letter)
            if isinstance(ready, str) and since_ms is None:
                self._fail(letter, ready, definite=True)
                return
            if since_ms is None and isinstance(ready, Ready):
                outcome, since_ms = await self._call(channel, letter)
                if outcome is None:
                    return
            elif isinstance(ready, Ready):
                assert since_ms is not None
                outcome = await self._ask(channel, ready, since_ms)
            else:  # it may have gone out, and what she needs to be told has changed since
                self._fail(letter, ready, definite=False)
                return
            pause_s = self._settle(letter, outcome)
            if pause_s is None:
                return
            if isinstance(outcome, Postponed):
                if not await self._office.take_back(letter):
                    return
                since_ms = None
            if self._too_late(letter, ready, outcome, began_ms, pause_s):
                return
            await self._sleep(pause_s)

    async def _call(self, channel: Channel, letter: Letter) -> tuple[Outcome | None, int | None]:
        """Commits the attempt, looks once more, and calls the provider."""
        async with self._slots:
            attempted_at = await self._office.attempt(letter)
            if attempted_at is None or self._closing:
                return None, None
            again = self._office.ready(letter)
            if isinstance(again, str):
                return Failed(again, definite=True), attempted_at
            self._calls += 1
            try:
                outcome = await channel.send(again.message, again.address)
            finally:
                self._calls -= 1
                if not self._calls:
                    self._no_call.set()
        self._note_trouble(letter.channel, outcome)
        return outcome, attempted_at

    async def _ask(self, channel: Channel, ready: Ready, since_ms: int) -> Outcome:
        async with self._slots:
            return await channel.look_up(ready.message, ready.address, since_ms)

    def _settle(self, letter: Letter, outcome: Outcome) -> float | None:
        """Settles what is settled; the seconds to wait where it is not."""
        match outcome:
            case Sent(delivered=delivered):
                result: Result = "delivered" if delivered else "sent"
                self._office.settle(letter, result, reason="", definite=False)
                return None
            case Failed(reason=reason, definite=definite):
                self._fail(letter, reason, definite=definite)
                return None
            case Postponed(after_s=after_s) | Unknown(after_s=after_s):
                return max(after_s, PAUSE_S_MIN)

    def _too_late(
        self, letter: Letter, ready: Ready, outcome: Outcome, began_ms: int, pause_s: float
    ) -> bool:
        """Gives up what can not be settled in time."""
        then_ms = self._office.now_ms() + pause_s * 1000
        if isinstance(outcome, Unknown):
            if then_ms - began_ms > ASK_S_MAX * 1000:
                self._fail(letter, outcome.reason, definite=False)
                return True
            return False
        until_ms = (
            ready.message.expires_at_ms
            if ready.message.purpose == "alert"
            else began_ms + FOLLOW_UP_S_MAX * 1000
        )
        if then_ms >= until_ms:
            assert isinstance(outcome, Postponed)
            self._fail(letter, outcome.reason, definite=True)
            return True
        return False

    def _fail(self, letter: Letter, reason: str, *, definite: bool) -> None:
        self._office.settle(letter, "failed", reason=reason, definite=definite)

    def _note_trouble(self, channel: str, outcome: Outcome) -> None:
        if isinstance(outcome, Postponed | Unknown):
            self.trouble[channel] = outcome.reason
        else:
            self.trouble.pop(channel, None)
