"""Plays of the store: the same operations, through the real store modules, on whatever database is given.

An operation is a name and a few numbers; what they mean depends on how the play went so far, so that a
sequence drawn by chance meets conflicts, twins and what is left of incidents more often than not. Each gives
an answer that can be compared: what came back, or the refusal, sorted where the database promises no order.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.evolve import evolve
from dispatch.core.incident import Incident
from dispatch.records import Asked, Fix, Record
from dispatch.store import (
    alerts,
    feed,
    idempotency,
    inbound,
    incidents,
    keys,
    medics,
    news,
    nodes,
    notifications,
    policies,
    positions,
    service,
)
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, ClaimConflict, Conflict, Remembered
from dispatch.store.medics import PhoneTaken
from tests.simulator.lives import LIVES, POLICIES
from tests.store import made

NODES = ("a", "b")
LONG_MS = 10**9
"""A lease that does not run out, whatever clock the database has."""
ROOMS = (made.ROOM, made.OTHER_ROOM)
MEDICS = ("anna", "bob", "cleo", "dan")
HALF_A_DAY_MS = made.DAY_MS // 2
AGES_MS = (0, 0, 0, HALF_A_DAY_MS, made.DAY_MS - 1, made.DAY_MS, made.DAY_MS + 1)

Database = Any
"""A pool: asyncpg's, or the model's."""
Answer = Any


class Operation(NamedTuple):
    name: str
    a: int = 0
    b: int = 0
    c: int = 0


class Member:
    """A node as the appender knows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.id = f"{name}-0"


class Play:
    """One run of operations on one database that has two control rooms and the policies, and nothing else."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.works: dict[str, list[Append]] = {}
        """By incident, what was appended to it, in order."""
        self.lived: dict[int, int] = {}
        """How many decisions of each life are written."""
        self.loaded: dict[str, Record] = {}
        """Incidents as they were loaded at some time."""
        self._members = [Member(name) for name in NODES]
        self._appenders: list[Appender] = []

    async def run(self, operations: Sequence[Operation]) -> list[Answer]:
        numbers = itertools.count(1)
        for member in self._members:
            await nodes.join(self.db, member.id, member.name, LONG_MS)
            appender = Appender(self.db, node=member, randbits=lambda _: next(numbers))
            await appender.start()
            self._appenders.append(appender)
        try:
            return [await self._answer(operation) for operation in operations]
        finally:
            for appender in self._appenders:
                await appender.close()

    async def _answer(self, operation: Operation) -> Answer:
        name, *numbers = operation
        do: Callable[..., Awaitable[Any]] = getattr(self, name)
        return await outcome(do(*numbers))

    # --- appends

    async def _append(self, work: Append, node: int) -> Answer:
        positions = await self._appenders[node % 2].append(work)
        for stream in work.streams:
            self.works.setdefault(stream.incident_id, []).append(_alone(work, stream.incident_id))
        return positions

    def _opening(self, a: int, b: int, c: int) -> Append:
        incident_id = f"i{a % 9}"
        whom = [medic for i, medic in enumerate(MEDICS) if b >> i & 1]
        at = made.AT + AGES_MS[c % 7]
        room = "no-such-room" if c % 31 == 30 else ROOMS[c % 2]
        key = Remembered(room, f"key-{b % 3}", b"hash", incident_id, at) if c % 4 == 0 else None
        return made.opening(
            incident_id,
            whom[:: 1 if a % 2 else -1],
            room=room,
            at=at,
            channel="sms" if b & 16 else "websocket",
            drill=c % 5 == 0,
            reference=f"R{a % 3}" if b % 3 == 0 else None,
            due_at=None if b & 32 else at + 8_000,
            remember=key,
        )

    def _following(self, a: int, b: int, c: int) -> Append:
        """What may follow in one of the incidents, or (one time in seven) might have followed earlier."""
        works = list(self.works.values())
        if not works:
            return self._opening(a, b, c)
        so_far = works[a % len(works)]
        work = so_far[b % len(so_far)] if c % 7 == 0 else so_far[-1]
        state = made.state_of(work)
        n = b % max(1, len(state.alerts)) + 1
        happened = [self._to(n, c)] if state.alerts and possible(state, self._to(n, c)) else [made.closed()]
        if c % 11 == 0:
            happened.append(made.closed())
        return made.then(work, *happened, due_at=None if c % 3 == 0 else made.AT + c)

    def _to(self, n: int, c: int) -> e.AnyEvent:
        return (
            made.delivered(n),
            made.accepted(n),
            made.accepted(n),
            made.expired(n),
            made.stood_down(n),
            made.sms_sent(n),
            made.answered(n, "decline"),
            made.answered(n, "finished"),
        )[c % 8]

    async def open(self, a: int, b: int, c: int) -> Answer:
        return await self._append(self._opening(a, b, c), c)

    async def follow(self, a: int, b: int, c: int) -> Answer:
        return await self._append(self._following(a, b, c), b)

    async def both(self, a: int, b: int, c: int) -> Answer:
        """One decision about two incidents: one lets go of whom the other asks, or nearly."""
        one, other = self._following(a, b, c), self._opening(a + 1, b, c + 1)
        if one.streams[0].incident_id == other.streams[0].incident_id:
            return None
        order = (one, other) if c % 2 else (other, one)
        return await self._append(made.together(*order), a)

    async def come(self, a: int, b: int, c: int) -> Answer:
        """A medic accepts an alert that had ended; what else she has ends in the same decision, or nearly."""
        ended: list[Append] = []
        others: list[Append] = []
        for so_far in self.works.values():
            for asked in _asked(so_far, self._medic(a)):
                alert = made.state_of(so_far[-1]).alert(asked.n)
                held = alert.open or alert.engaged
                event = made.stood_down(asked.n) if held else made.accepted(asked.n)
                if possible(made.state_of(so_far[-1]), event):
                    (others if held else ended).append(made.then(so_far[-1], event))
        works = [*ended[b % 2 :][:1], *others[: 1 if c % 4 else 0]]
        together = made.together(*(works if c % 2 else works[::-1]))
        ids = [stream.incident_id for stream in together.streams]
        return await self._append(together, c) if ids and len(set(ids)) == len(ids) else None

    async def batch(self, a: int, b: int, c: int) -> Answer:
        """Several decisions while one is written: those that are refused fail alone."""
        works = [self._opening(a, b, c), self._following(a, b, c), self._opening(b, c, a)]
        works += [
            self._following(a + 1, c, b),
            Append((), Remembered(ROOMS[0], f"key-{a % 3}", b"h", "s", made.AT)),
        ]
        return await asyncio.gather(*(outcome(self._append(work, c)) for work in works))

    async def remember(self, a: int, b: int, c: int) -> Answer:
        """A decision that changes nothing, and its key."""
        at = made.AT + AGES_MS[c % 7]
        return await self._append(Append((), Remembered(ROOMS[a % 2], f"key-{b % 3}", b"h", "s", at)), c)

    async def live(self, a: int, b: int, c: int) -> Answer:
        """The next decisions of a life as the core decided it."""
        answers = []
        for _ in range(1 + c % 4):
            number = a % len(LIVES)
            at = self.lived.get(number, 0)
            if at < len(LIVES[number]):
                answers.append(await outcome(self._append(LIVES[number][at], b)))
                self.lived[number] = at + isinstance(answers[-1], dict)
        return answers

    # --- incidents and the feed

    async def read_feed(self, a: int, b: int, c: int) -> Answer:
        decided = await feed.decided(self.db, ROOMS[a % 2], after=b, limit=1 + c)
        return decided, await feed.read(self.db, ROOMS[a % 2], after=b, limit=1 + c)

    async def feed_position(self, a: int, b: int, c: int) -> Answer:
        return await feed.position(self.db, (*ROOMS, "no-such-room")[a % 3])

    async def load(self, a: int, b: int, c: int) -> Answer:
        whole = await incidents.load_many(self.db, [*list(self.works)[a % 3 :], "nothing"])
        if b % 2:
            self.loaded |= {record.id: record for record in whole}
        return whole

    async def load_since(self, a: int, b: int, c: int) -> Answer:
        """Of what was loaded some time ago the rest; of the others all."""
        some = list(self.works)[a % 3 :]
        since = await incidents.load_since(self.db, some, self.loaded)
        assert since == await incidents.load_many(self.db, some)
        self.loaded = {record.id: record for record in since[b % 2 :: 2]}
        return since

    async def audit(self, a: int, b: int, c: int) -> Answer:
        incident_id = self._known(a)
        return await incidents.events_of(self.db, incident_id), await incidents.inputs_of(
            self.db, incident_id
        )

    async def owed(self, a: int, b: int, c: int) -> Answer:
        since = made.AT + 2_000 + a % 2
        return sorted(await incidents.owed(self.db)), sorted(await incidents.untold(self.db, since))

    async def listed(self, a: int, b: int, c: int) -> Answer:
        which: dict[str, Any] = {"states": (None, ("open", "held"), ("closed",))[b % 3]}
        which["reference"] = (None, "R1")[c % 2]
        first = await incidents.list_page(self.db, ROOMS[a % 2], limit=1 + c % 3, **which)
        if first.next_cursor is None:
            return first
        return first, await incidents.list_page(
            self.db, ROOMS[a % 2], limit=3, cursor=first.next_cursor, **which
        )

    async def reference(self, a: int, b: int, c: int) -> Answer:
        since = made.AT + AGES_MS[c % 7]
        return await incidents.reference_used_since(self.db, ROOMS[a % 2], f"R{b % 3}", since)

    async def alerts(self, a: int, b: int, c: int) -> Answer:
        since = made.AT + AGES_MS[b % 7]
        hers = await alerts.of_medic(self.db, self._medic(a), ended_since=since)
        return hers, await alerts.digit_pairs(self.db, since=since)

    # --- notifications, and what is taken once

    async def attempt(self, a: int, b: int, c: int) -> Answer:
        at = made.AT + c
        answers = []
        for row in self._notification(a):
            unheard = ((), (at - 1,), (at, at + 1))[c % 3]
            by = self._node(b)
            there = await notifications.attempt(self.db, *row, by=by, at=at, unheard=unheard)
            answers.append(there is not None)
            if c % 4 == 0:
                by, at = self._node(c // 4), at + (c % 8 == 4)
                answers.append(await notifications.take_back(self.db, *row, by=by, at=at))
        return answers

    async def unsettled(self, a: int, b: int, c: int) -> Answer:
        return await notifications.unsettled(self.db, self._known(a))

    async def take_over(self, a: int, b: int, c: int) -> Answer:
        """Of the dead, where one has died meanwhile; and what each has then."""
        by = self._node(a)
        taken = await notifications.take_over(self.db, by=by, limit=100)
        held = await notifications.held(self.db, by=by)
        incident_ids = await incidents.take_over(self.db, by, 100)
        had = await incidents.had_by(self.db, by)
        unsettled = (
            sorted(these, key=lambda one: (one.incident_id, one.n, one.k)) for these in (taken, held)
        )
        return *unsettled, sorted(incident_ids), sorted(had)

    # --- nodes

    async def lapse(self, a: int, b: int, c: int) -> Answer:
        """A node's lease has run out, now or long ago."""
        member = self._members[a % 2]
        await nodes.join(self.db, member.id, member.name, -1000 if b % 2 else -made.DAY_MS - 1000)

    async def revive(self, a: int, b: int, c: int) -> Answer:
        """Its name joins, with the id it had or one of another life; at times another's id."""
        member = self._members[a % 2]
        member.id = f"{member.name}-{b % 3}"
        node_id = self._members[1 - a % 2].id if c % 11 == 0 else member.id
        await nodes.join(self.db, node_id, member.name, LONG_MS)

    async def rejoin(self, a: int, b: int, c: int) -> Answer:
        member = self._members[a % 2]
        former, member.id = member.id, f"{member.name}-{b % 5}"
        return await nodes.rejoin(self.db, former, member.id, LONG_MS)

    async def renew(self, a: int, b: int, c: int) -> Answer:
        return await nodes.renew(self.db, self._node(a), LONG_MS)

    async def leave(self, a: int, b: int, c: int) -> Answer:
        return await nodes.leave(self.db, self._node(a))

    async def look(self, a: int, b: int, c: int) -> Answer:
        if c % 5 == 0:
            await nodes.purge(self.db)
        seen = await nodes.look(self.db)
        return replace(seen, paused_at=None, server=""), seen.paused_at is not None

    async def pause(self, a: int, b: int, c: int) -> Answer:
        if c % 2:
            await service.pause(self.db)
        resumed = await service.resume(self.db) if b % 2 else None
        return resumed, await service.paused_at(self.db) is not None

    async def news(self, a: int, b: int, c: int) -> Answer:
        if c % 5 == 0:
            await news.purge(self.db)
        number = await news.publish(self.db, self._node(a), b"{}")
        return number, await news.since(self.db, b % 8, limit=1 + c % 5)

    async def keys(self, a: int, b: int, c: int) -> Answer:
        at = made.AT + AGES_MS[c % 7]
        if c % 13 == 0:
            await idempotency.purge(self.db, at=at)
        return await idempotency.find(self.db, ROOMS[a % 2], f"key-{b % 3}", at=at)

    async def sms(self, a: int, b: int, c: int) -> Answer:
        if c % 5 == 0:
            await inbound.purge(self.db, at=made.AT + inbound.KEPT_MS + b % 3)
        known = await inbound.known(self.db, f"SM{a % 4}")
        return known, await inbound.first_time(self.db, f"SM{a % 4}", at=made.AT + b % 3)

    async def room(self, a: int, b: int, c: int) -> Answer:
        return await keys.ensure_control_room(self.db, ROOMS[a % 2])

    async def policy(self, a: int, b: int, c: int) -> Answer:
        await policies.keep(self.db, [POLICIES[a % len(POLICIES)], replace(made.POLICY, wanted=1 + b % 3)])
        return await policies.get(self.db, made.POLICY_HASH if c % 2 else "nothing")

    # --- medics

    async def register(self, a: int, b: int, c: int) -> Answer:
        ids = list(dict.fromkeys([self._medic(a), self._medic(b)]))
        people = [made.a_medic(medic_id, phone=f"+31{(i + c) % 6}") for i, medic_id in enumerate(ids)]
        return await medics.create(self.db, people)

    async def change(self, a: int, b: int, c: int) -> Answer:
        phone = {"phone": f"+31{c % 6}"} if b % 3 == 0 else {}
        return await medics.change(
            self.db,
            self._medic(a),
            lambda medic: replace(medic, suspended=b % 2 == 0, blocked=("sms",), **phone),
        )

    async def delete(self, a: int, b: int, c: int) -> Answer:
        return await medics.delete(self.db, self._medic(a))

    async def forget(self, a: int, b: int, c: int) -> Answer:
        return await medics.forget(self.db, self._medic(a), [self._known(b), self._known(c)])

    async def medics(self, a: int, b: int, c: int) -> Answer:
        found = await medics.get(self.db, self._medic(a)), await medics.by_phone(self.db, f"+31{b % 6}")
        return *found, await medics.list_page(self.db, limit=1 + b % 3, cursor=(None, "bob")[c % 2])

    async def changes(self, a: int, b: int, c: int) -> Answer:
        changes = await medics.changes_since(self.db, a % 4)
        everyone = [one async for batch in medics.roster(self.db) for one in batch]
        return replace(changes, gone=sorted(changes.gone)), sorted(everyone, key=lambda one: one[0].id)

    async def move(self, a: int, b: int, c: int) -> Answer:
        fixes = [
            Fix(self._medic(i), float(b), 5, (None, 7)[i % 2], made.AT + c % 5) for i in (a, a + 1, a + b)
        ]
        return await positions.save(self.db, fixes)

    # --- which

    def _known(self, a: int) -> str:
        known = [*self.works, "nothing"]
        return known[a % len(known)]

    def _node(self, a: int) -> str:
        """A node's id: one of the two, or (one time in nine) nobody's."""
        return "nobody" if a % 9 == 8 else self._members[a % 2].id

    def _medic(self, a: int) -> str:
        return MEDICS[a % len(MEDICS)]

    def _notification(self, a: int) -> list[tuple[str, int, int]]:
        """Those by SMS of one incident, whatever has become of them."""
        events = [event for work in self.works.get(self._known(a), ()) for event in work.streams[0].events]
        requested = [event for event in events if isinstance(event, e.NotificationRequested)]
        return [(self._known(a), event.n, event.k) for event in requested if event.channel == "sms"][:3]


READS = (
    *(
        "read_feed",
        "feed_position",
        "load",
        "load_since",
        "audit",
        "owed",
        "listed",
        "reference",
        "alerts",
        "unsettled",
        "keys",
    ),
    *("sms", "room", "policy", "medics", "changes", "renew", "look", "news", "pause"),
)
OPERATIONS: dict[str, int] = {
    "open": 8,
    "follow": 12,
    "both": 6,
    "come": 8,
    "batch": 4,
    "remember": 4,
    "live": 10,
    "attempt": 5,
    "take_over": 4,
    "lapse": 2,
    "revive": 8,
    "rejoin": 1,
    "leave": 1,
    "register": 3,
    "change": 3,
    "delete": 3,
    "forget": 1,
    "move": 3,
    **dict.fromkeys(READS, 2),
}
"""How often each is drawn."""


def possible(state: Incident, event: e.AnyEvent) -> bool:
    """Whether the core's tables let it follow."""
    try:
        evolve(state, event)
    except ValueError:
        return False
    return True


async def outcome(work: Awaitable[Any]) -> Answer:
    """What came of it, as it can be compared."""
    try:
        return await work
    except ClaimConflict as conflict:
        return "ClaimConflict", sorted(conflict.claims, key=lambda claim: (claim.medic_id, claim.incident_id))
    except (Conflict, PhoneTaken) as refused:
        return type(refused).__name__, vars(refused)
    except asyncpg.PostgresError as error:
        detail = error.detail if (error.sqlstate or "").startswith("DP") else None
        return type(error).__name__, error.sqlstate, detail, error.constraint_name


def _asked(so_far: Sequence[Append], medic_id: str) -> list[Asked]:
    """Her alerts in an incident."""
    every = [asked for work in so_far for asked in work.streams[0].asked]
    return [asked for asked in every if asked.medic_id == medic_id]


def _alone(work: Append, incident_id: str) -> Append:
    return Append(tuple(stream for stream in work.streams if stream.incident_id == incident_id))
