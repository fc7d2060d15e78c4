"""An incident in this node's memory, and the orders that wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from msgspec.structs import replace

from dispatch.core.commands import Command
from dispatch.core.decide import NOTHING_KNOWN
from dispatch.core.incident import Incident, Note
from dispatch.core.policy import Policy
from dispatch.records import Asked, Details, Record
from dispatch.store.appends import Remembered
from notify.message import Framed

MakeCommand: TypeAlias = Callable[["Situation"], Command]

Once: TypeAlias = tuple[str, int, int]
"""A word, and the numbers of an alert and of a notification."""

MakeDetails: TypeAlias = Callable[[Details | None], Details]
"""The personal side that an order leaves, from the one that there is (None at opening)."""


class Situation:
    """What a command is made from: the incident as it will be when the command is decided.

    ``before`` is the personal side without what the order itself gives.
    """

    __slots__ = ("at", "before", "details", "live", "policy", "state")

    def __init__(
        self,
        live: "Live",
        state: Incident | None,
        before: Details | None,
        details: Details | None,
        policy: Policy | None,
        at: int,
    ) -> None:
        self.live, self.at = live, at
        self.state, self.policy = state, policy
        self.before, self.details = before, details

    @property
    def now(self) -> Incident:
        """The state; LookupError before the incident is opened."""
        if self.state is None:
            raise LookupError("not opened yet")
        return self.state

    @property
    def place(self) -> Details:
        """Where it is, as the order leaves it; LookupError before the incident is opened."""
        if self.details is None:
            raise LookupError("not opened yet")
        return self.details

    @property
    def rules(self) -> Policy:
        if self.policy is None:
            raise LookupError("not opened yet")
        return self.policy


ANSWERED = ("accepted", "arrived", "declined", "finished")
"""The states of an alert that are its medic's own word, or stand for it."""
ANSWER_MAY_WAIT_S, RECEIPT_MAY_WAIT_S = 0.5, 1.0
"""How long an answer, and a receipt, leaves the turn to what came after it and is more urgent."""


class Order:
    """A command to be made and decided in its turn. ``done`` gets the record after it, or its refusal.

    ``once``: names what is said once however often it is repeated while the order waits: a receipt or the
    like. ``urgent``: decided and written before answers and receipts. ``since``: when it was given (s).
    """

    __slots__ = ("details", "done", "make", "once", "policy", "remember", "since", "urgent")

    def __init__(
        self,
        make: MakeCommand,
        *,
        details: MakeDetails | None = None,
        policy: Policy | None = None,
        remember: Remembered | None = None,
        done: "asyncio.Future[Record] | None" = None,
        once: Once | None = None,
        urgent: bool = True,
    ) -> None:
        self.make, self.details, self.policy = make, details, policy
        self.remember, self.done = remember, done
        self.once, self.urgent = once, urgent
        self.since = 0.0

    @property
    def may_wait_s(self) -> float:
        if self.urgent:
            return 0.0
        return ANSWER_MAY_WAIT_S if self.once is None else RECEIPT_MAY_WAIT_S

    def carried_out(self, record: Record) -> None:
        if self.done is not None and not self.done.done():  # who waited for it may have gone
            self.done.set_result(record)

    def refuse(self, error: Exception) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(error)


class _Lock(asyncio.Lock):
    """``wanted``: how many have it, or wait for it."""

    wanted = 0

    async def acquire(self) -> Literal[True]:
        self.wanted += 1
        try:
            return await super().acquire()
        except BaseException:
            self.wanted -= 1
            raise

    def release(self) -> None:
        self.wanted -= 1
        super().release()


class Live:
    """``record`` is None until the incident is opened. Changed only under ``lock``. ``opening``: that is to
    be decided here, or being committed; once that is over, the store says whether it is opened.

    ``by_n`` has who each alert went to; one whose medic was deleted is in neither it nor ``firsts``, which
    maps each medic asked to the number of her first alert. ``quiet_until``: what the last decision made here
    said of the time until the next. ``stale``: to be loaded again. ``waiting_once``:
    what the waiting orders say that is not to be said twice. ``had``: what devices have acknowledged here, by
    alert and notification; that it was delivered may not be committed yet. ``new`` and ``answered``: the
    notifications, and the alerts with an answer, of which nothing was known before it was read from the
    store, until the sockets here are told. ``ready``: by alert and notification what is about to be put on
    sockets, made while its commit is under way.
    """

    __slots__ = (
        "answered",
        "by_n",
        "firsts",
        "had",
        "id",
        "lock",
        "new",
        "opening",
        "orders",
        "quiet_until",
        "ready",
        "record",
        "room_id",
        "running",
        "stale",
        "timer",
        "waiting_once",
    )

    def __init__(self, incident_id: str, room_id: str, record: Record | None = None) -> None:
        self.id, self.room_id = incident_id, room_id
        self.stale = False
        self.quiet_until = NOTHING_KNOWN
        self.lock = _Lock()
        self.orders: deque[Order] = deque()
        self.waiting_once: dict[Once, None] = {}
        self.had: dict[tuple[int, int], None] = {}
        self.new: dict[tuple[int, int], None] = {}
        self.answered: dict[int, None] = {}
        self.ready: dict[tuple[int, int], Framed] = {}
        self.running = self.opening = False
        self.timer: asyncio.TimerHandle | None = None
        self.record: Record | None = None
        self.by_n: dict[int, Asked] = {}
        self.firsts: dict[str, int] = {}
        if record is not None:
            self.load(record)

    @property
    def idle(self) -> bool:
        """Nobody is deciding about it, or waits to."""
        return not (self.running or self.orders or self.lock.wanted)

    @property
    def outdated(self) -> bool:
        """To be read from the store before anything is decided on it."""
        return self.stale if self.record is not None else not self.opening

    def load(self, record: Record, *, anew: bool = False) -> None:
        """The incident as the store has it. ``anew``: what is known of it by now does not count."""
        known = self.record.state.alerts if self.record is not None and not anew else ()
        for alert in record.state.alerts if known or record.state.live else ():
            before = known[alert.n - 1] if alert.n <= len(known) else None
            notes_before = len(before.notes) if before is not None else 0
            self.new |= {(alert.n, note.k): None for note in alert.notes[notes_before:]}
            if before is not None and alert.state != before.state and alert.state in ANSWERED:
                self.answered[alert.n] = None
        self.by_n, self.firsts = {}, {}
        self.follow(record, record.asked)

    def follow(self, record: Record, asked: Iterable[Asked], *, quiet_until: float = NOTHING_KNOWN) -> None:
        """The incident after a commit, which asked these for the first time."""
        self.record, self.stale, self.quiet_until = record, False, quiet_until
        for one in asked:
            self.by_n[one.n] = one
            self.firsts.setdefault(one.medic_id, one.n)

    def lost_since(self, before: Record) -> list[Asked]:
        """Whom alerts of ``before`` asked that are gone, or another's. What was heard of them is forgotten.

        Not of a medic who was deleted: her alert is there, and nothing leads to her.
        """
        lost = [one for one in before.asked if not self.is_hers(one.n, one.medic_id)]
        if lost:
            numbers = {one.n for one in lost}
            self.had = {said: None for said in self.had if said[0] not in numbers}
        return lost

    def let_go(self, medic_id: str) -> None:
        """The medic is deleted: nothing here leads to her any more."""
        self.by_n = {n: asked for n, asked in self.by_n.items() if asked.medic_id != medic_id}
        self.firsts.pop(medic_id, None)
        if self.record is not None:
            self.record = replace(self.record, asked=tuple(self.by_n.values()))

    def medic_of(self, n: int) -> str | None:
        """Whom alert ``n`` asked; None where she was deleted, or there is no such alert."""
        asked = self.by_n.get(n)
        return asked.medic_id if asked else None

    def is_hers(self, n: int, medic_id: str) -> bool:
        """There is an alert ``n``, and it asked nobody else. Of a medic who was deleted nobody can say."""
        there = self.record is not None and n <= len(self.record.state.alerts)
        return there and self.medic_of(n) in (None, medic_id)

    def note(self, n: int, k: int) -> Note | None:
        """Notification ``k`` of alert ``n``; None where there is none."""
        if self.record is None or not 1 <= n <= len(self.record.state.alerts):
            return None
        return self.record.state.alert(n).note(k)
