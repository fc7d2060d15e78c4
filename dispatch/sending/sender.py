"""Brings notifications to an end over channels that can not tell a repeat (SMS; later voice).

A notification is sent at most once. The attempt is committed before the provider is called; what is
certainly not sent is tried again until it expires, and what may have been sent is asked of the provider,
never repeated. Immediately before each call it is looked at again: what is no longer true is not sent.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from dispatch import fault_points
from dispatch.tasks import ended
from notify.channel import Channel, Failed, Outcome, Postponed, Sent, Unknown
from notify.message import Message

AT_ONCE_MAX = 100
FOLLOW_UP_S_MAX = 600.0
"""For how long an update or a stand-down is tried again where the provider is in trouble."""
ASK_S_MAX = 180.0
"""For how long the provider is asked what became of a send; then it stays unknown."""
PAUSE_S_MIN = 0.5
CALL_S_MAX = 3.0
"""From an attempt's time until its call: where its commit takes longer nobody is called. So whoever has the
notification next, and knows that time alone, knows by when the provider was asked, if it was."""
PATIENCE_S = 12.0
"""How long a stop waits for calls to providers; each ends by itself before that."""


class Letter(NamedTuple):
    """A notification with its channel. ``attempted_at``: when an earlier try was committed, if any was."""

    incident_id: str
    n: int
    k: int
    channel: str
    attempted_at: int | None = None


class Ready(NamedTuple):
    """What is to be sent, and to whom (a phone number); ``hindrance``: why not (any more)."""

    message: Message
    address: str
    hindrance: str | None = None


Key = tuple[str, int, int]
Result = Literal["sent", "delivered", "failed"]


class Office(Protocol):
    """What the sender asks of the service. Nothing here raises."""

    def ready(self, letter: Letter) -> Ready | str | None:
        """The message as it is now. A reason: there is nobody to send it to. None: it has its outcome."""
        ...

    async def attempt(self, letter: Letter) -> int | None:
        """Commits that this node calls the provider now; the time, or None where it may not."""
        ...

    async def take_back(self, letter: Letter, attempted_at: int) -> bool:
        """Commits that the provider certainly did not take that attempt.

        False where it is not this node's any more, or was attempted anew.
        """
        ...

    def settle(self, letter: Letter, result: Result, *, reason: str = "", definite: bool = False) -> None:
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
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._office = office
        self._sleep = sleep
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._again: dict[Key, Letter] = {}
        self._resting: dict[Key, None] = {}
        self.closing = False
        self.trouble: dict[str, str] = {}
        """By channel: why its provider took nothing the last time it was called."""

    @property
    def waiting(self) -> int:
        """Notifications without an outcome."""
        return len(self._tasks)

    def send(self, letter: Letter) -> None:
        """Begins to bring it to an end.

        What is under way goes on and is begun again after it: it may end without an outcome, because it was
        not this node's yet.
        """
        key = letter[:3]
        if self.closing:
            return
        if key in self._tasks:
            self._again[key] = letter
            return
        self._tasks[key] = asyncio.create_task(self._bring(letter), name=f"send {letter.channel}")
        self._tasks[key].add_done_callback(lambda _: self._ended(key))

    async def close(self, patience_s: float = PATIENCE_S) -> None:
        """Begins no call any more, and lets those in flight come to their outcome.

        What has none is left requested: the next start finds it.
        """
        self.closing = True
        tasks = list(self._tasks.items())
        busy = [task for key, task in tasks if key not in self._resting]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                for task in busy:
                    await ended(task)
        for _, task in tasks:
            task.cancel()
        for _, task in tasks:
            await ended(task)

    def _ended(self, key: Key) -> None:
        del self._tasks[key]
        letter = self._again.pop(key, None)
        if letter is not None:
            self.send(letter)

    async def _bring(self, letter: Letter) -> None:
        channel = self._channels.get(letter.channel)
        if channel is None:
            definite = letter.attempted_at is None
            self._office.settle(letter, "failed", reason="channel_off", definite=definite)
            return
        began_ms = self._office.now_ms()
        attempted_at = letter.attempted_at
        while not self.closing:
            ready = self._to_do(letter, attempted_at)
            if ready is None:
                return
            if attempted_at is None:
                outcome, attempted_at = await self._call(channel, letter)
            else:
                outcome = await self._ask(channel, ready, attempted_at)
            if outcome is None:
                return
            if isinstance(outcome, Sent | Failed):
                self._settle(letter, outcome)
                return
            if isinstance(outcome, Postponed):
                assert attempted_at is not None, "a provider was called, or asked"
                if not await self._office.take_back(letter, attempted_at):
                    return
                attempted_at = None
            pause_s = max(outcome.after_s, PAUSE_S_MIN)
            if self._too_late(letter, ready, outcome, began_ms, pause_s):
                return
            await self._rest(letter[:3], pause_s)

    def _to_do(self, letter: Letter, attempted_at: int | None) -> Ready | None:
        """What is to be sent, or to be asked about where it may have been sent; None: nothing, any more."""
        ready = self._office.ready(letter)
        if isinstance(ready, str):
            self._office.settle(letter, "failed", reason=ready, definite=attempted_at is None)
            return None
        if ready is not None and ready.hindrance and attempted_at is None:
            self._office.settle(letter, "failed", reason=ready.hindrance, definite=True)
            return None
        return ready

    async def _call(self, channel: Channel, letter: Letter) -> tuple[Outcome | None, int | None]:
        """Commits the attempt, looks once more, and calls the provider. None: not to be called.

        Postponed also where the commit took too long to call anybody.
        """
        async with self._slots:
            attempted_at = None if self.closing else await self._office.attempt(letter)
            if attempted_at is None:
                return None, None
            again = self._office.ready(letter)
            if self.closing or again is None:
                await self._office.take_back(letter, attempted_at)
                return None, None
            if isinstance(again, str):
                return Failed(again), attempted_at
            if again.hindrance is not None:
                return Failed(again.hindrance), attempted_at
            if self._office.now_ms() > _called_by_ms(attempted_at):
                return Postponed("slow_commit", 0.0), attempted_at
            fault_points.reached("attempt_committed")
            outcome = await channel.send(again.message, again.address)
            fault_points.reached("provider_called")
        self._note_trouble(letter.channel, outcome)
        return outcome, attempted_at

    async def _ask(self, channel: Channel, ready: Ready, attempted_at: int) -> Outcome:
        """What became of it; postponed: it was never accepted."""
        async with self._slots:
            return await channel.look_up(ready.message, ready.address, _called_by_ms(attempted_at))

    def _settle(self, letter: Letter, outcome: Sent | Failed) -> None:
        if isinstance(outcome, Sent):
            self._office.settle(letter, "delivered" if outcome.delivered else "sent")
        else:
            self._office.settle(letter, "failed", reason=outcome.reason, definite=outcome.definite)

    def _too_late(
        self, letter: Letter, ready: Ready, outcome: Outcome, began_ms: int, pause_s: float
    ) -> bool:
        """Gives up what can not be settled in time."""
        then_ms = self._office.now_ms() + pause_s * 1000
        match outcome:
            case Unknown(reason=reason) if then_ms - began_ms > ASK_S_MAX * 1000:
                self._office.settle(letter, "failed", reason=reason, definite=False)
                return True
            case Postponed(reason=reason) if then_ms >= _until_ms(ready, began_ms):
                self._office.settle(letter, "failed", reason=reason, definite=True)
                return True
        return False

    async def _rest(self, key: Key, pause_s: float) -> None:
        """A pause between two calls, which a stop need not wait for."""
        self._resting[key] = None
        try:
            await self._sleep(pause_s)
        finally:
            del self._resting[key]

    def _note_trouble(self, channel: str, outcome: Outcome) -> None:
        if isinstance(outcome, Postponed | Unknown):
            self.trouble[channel] = outcome.reason
        else:
            self.trouble.pop(channel, None)


def _called_by_ms(attempted_at: int) -> int:
    return attempted_at + round(CALL_S_MAX * 1000)


def _until_ms(ready: Ready, began_ms: int) -> float:
    """Until when it is of use."""
    if ready.message.purpose == "alert":
        return ready.message.expires_at_ms
    return began_ms + FOLLOW_UP_S_MAX * 1000
