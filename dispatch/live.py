"""An incident in this node's memory, and the orders that wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from dispatch.core.commands import Command
from dispatch.core.incident import Incident
from dispatch.core.policy import Policy
from dispatch.records import Asked, Details, Record
from dispatch.store.appends import Remembered

MakeCommand: TypeAlias = Callable[["Situation"], Command]


class Situation:
    """What a command is made from: the incident as it will be when the command is decided."""

    __slots__ = ("at", "details", "live", "policy", "state")

    def __init__(
        self, live: "Live", state: Incident | None, details: Details | None, policy: Policy | None, at: int
    ) -> None:
        self.live, self.at = live, at
        self._fill(state, details, policy)

    def _fill(self, state: Incident | None, details: Details | None, policy: Policy | None) -> None:
        self.state, self.details, self.policy = state, details, policy

    @property
    def now(self) -> Incident:
        """The state; LookupError before the incident is opened."""
        if self.state is None:
            raise LookupError("not opened yet")
        return self.state

    @property
    def rules(self) -> Policy:
        if self.policy is None:
            raise LookupError("not opened yet")
        return self.policy


class Order:
    """A command to be made and decided in its turn. ``done`` gets the record after it, or its refusal."""

    __slots__ = ("details", "done", "make", "policy", "remember")

    def __init__(
        self,
        make: MakeCommand,
        *,
        details: Details | None = None,
        policy: Policy | None = None,
        remember: Remembered | None = None,
        done: "asyncio.Future[Record] | None" = None,
    ) -> None:
        self.make, self.details, self.policy = make, details, policy
        self.remember, self.done = remember, done


class Live:
    """``record`` is None until the incident is opened. Changed only under ``lock``.

    ``by_n`` has who each alert went to; one whose medic was deleted is in neither it nor ``firsts``, which
    maps each medic asked to the number of her first alert. ``stale``: to be loaded again.
    """

    __slots__ = (
        "by_n",
        "firsts",
        "id",
        "lock",
        "new",
        "orders",
        "record",
        "room_id",
        "running",
        "stale",
        "timer",
    )

    def __init__(
        self, incident_id: str, room_id: str, record: Record | None = None, *, new: bool = False
    ) -> None:
        self.id, self.room_id = incident_id, room_id
        self.new, self.stale = new, False
        self.lock = asyncio.Lock()
        self.orders: deque[Order] = deque()
        self.running = False
        self.timer: asyncio.TimerHandle | None = None
        self.record: Record | None = None
        self.by_n: dict[int, Asked] = {}
        self.firsts: dict[str, int] = {}
        if record is not None:
            self.take_over(record)

    def take_over(self, record: Record) -> None:
        """The incident as it now is."""
        self.record, self.new, self.stale = record, False, False
        for asked in record.asked[len(self.by_n) :]:
            self.by_n[asked.n] = asked
            self.firsts.setdefault(asked.medic_id, asked.n)

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
