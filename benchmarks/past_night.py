"""A bad night's ended incidents in a database: some real lives, each copied many times.

The lives are decided by the core and appended like any other, a few decisions to each commit as a node
gathers them. The copies are made by the server, with ids and feed positions of their own and all else as it
was: they take a minute or two, where 50,000 lives would take ten.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from dispatch.core import commands as c
from dispatch.core.decide import Decision, decide
from dispatch.core.policy import shipped
from dispatch.ids import new_incident_id
from dispatch.nodes import Membership
from dispatch.records import Asked, Details, Position
from dispatch.store import keys, nodes, policies
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, Stream
from dispatch.store.database import connect_pool

ALERTS = 10
ACCEPT = 3
LIVES = 20
UNHEARD_OF = 10
"""One life in so many ends with a stand-down that its device has not heard: it has not come back."""
LEASE_MS = 60_000
COPY_S_MAX = 600.0
POLICY = shipped()["cardiac_arrest"]
DETAILS = Details(
    Position(53.35, -6.26, 12.0), "12 Main Street, Dublin 1", "blue door", "man of 54, collapsed"
)

# Each table's rows of the lives again, as copy ``g`` of $1; by $2 their feed positions lie apart.
_COPY = """
insert into {table}
select (jsonb_populate_record(t, jsonb_build_object({changed}))).*
from {table} t cross join generate_series(1, $1::bigint) g {joined}
where $2::bigint > 0
"""
_ID = "left(t.{0}, 22) || lpad(to_hex(g), 4, '0')"
_FEED = ", 'feed_pos', t.feed_pos + g * $2::bigint"
_COPIED = {
    "incident": f"'id', {_ID.format('id')}, 'reference', t.reference || g{_FEED}",
    "decision": f"'incident_id', {_ID.format('incident_id')}{_FEED}",
    "alert": f"'incident_id', {_ID.format('incident_id')}, 'medic_id', m.id",
    "incident_details": f"'incident_id', {_ID.format('incident_id')}",
}
# Each copy asked other medics; no two alerts of one copy the same one.
_OTHERS = """
join (select id, row_number() over (order by id) as no from medic) m
    on m.no = 1 + ((hashtext(t.incident_id) & 65535) + g * 7919 + t.n) % (select count(*) from medic)
"""


class _Life:
    """One incident from its opening to its close. ``heard``: every device knows that it is over."""

    def __init__(self, room_id: str, medic_ids: Sequence[str], *, heard: bool) -> None:
        self._room_id, self._medic_ids, self._heard = room_id, medic_ids, heard
        self._at = time.time_ns() // 1_000_000 - 600_000
        self._id = new_incident_id(self._at)
        self._decided: Decision

    def appends(self) -> Iterator[Append]:
        yield self._opening()
        yield self._then(*(self._told("delivered", n, 1) for n in range(1, ALERTS + 1)))
        yield self._then(*(self._answered("decline", n) for n in range(ALERTS, ACCEPT, -1)))
        yield self._then(*(self._answered("accept", n) for n in range(ACCEPT, 0, -1)))
        yield self._then((c.Close, {"by": "control_room", "key": "key"}))
        yield self._then(*self._stand_downs())
        assert self._decided.due_at is None
        assert not any(note.pending for alert in self._decided.state.alerts for note in alert.notes)

    def _opening(self) -> Append:
        candidates = tuple(
            c.Candidate(medic_id, 300 + 40 * n, 120 + 10 * n, ("websocket", "sms"))
            for n, medic_id in enumerate(self._medic_ids)
        )
        command = c.Open(
            at=self._at,
            by="control_room",
            key="key",
            policy=POLICY,
            candidates=candidates,
            reference=self._id,
            kind="cardiac_arrest",
            priority=POLICY.priority,
            setting="public",
            drill=False,
            hazard="none",
            called_at=self._at,
            ambulance_due_at=None,
            position_good=True,
        )
        self._decided = decide(None, command)
        asked = tuple(Asked(n, who.medic_id, who.distance_m, n % 4) for n, who in self._decided.asked)
        return self._append(self._decided.events, asked)

    def _stand_downs(self) -> Iterator[tuple[type[c.Command], dict[str, Any]]]:
        told = [
            (alert.n, note.k) for alert in self._decided.state.alerts for note in alert.notes if note.pending
        ]
        assert told
        yield from (self._told("delivered", n, k) for n, k in told[1:])
        if self._heard:
            yield self._told("delivered", *told[0])
        else:
            yield (c.Settle, {"n": told[0][0], "k": told[0][1], "result": "failed", "reason": "no_socket"})

    @staticmethod
    def _told(result: str, n: int, k: int) -> tuple[type[c.Command], dict[str, Any]]:
        return c.Settle, {"n": n, "k": k, "result": result, "by": "medic"}

    @staticmethod
    def _answered(answer: str, n: int) -> tuple[type[c.Command], dict[str, Any]]:
        about = {"n": n, "answer": answer, "channel": "websocket", "by": "medic", "candidates": ()}
        return c.GiveAnswer, about

    def _then(self, *commands: tuple[type[c.Command], dict[str, Any]]) -> Append:
        self._at += 500
        events: list[Any] = []
        for kind, fields in commands:
            before = self._decided
            command = kind(at=self._at, policy=POLICY, **fields)
            self._decided = decide(before.state, command, quiet_until=before.quiet_until)
            events += self._decided.events
        return self._append(tuple(events))

    def _append(self, events: tuple[Any, ...], asked: tuple[Asked, ...] = ()) -> Append:
        state, due_at = self._decided.state, self._decided.due_at
        details = DETAILS if asked else None
        return Append((Stream(self._id, self._room_id, events, state, due_at, asked, details),))


async def fill(dsn: str, room: str, count: int) -> int:
    """``count`` ended incidents of the medics there are; returns of how many a device has not heard.

    Nobody else uses the database meanwhile.
    """
    pool = await connect_pool(dsn)
    membership = Membership(pool, "the bad night")
    appender = Appender(pool, membership)
    try:
        await nodes.join(pool, membership.id, membership.name, LEASE_MS)
        await policies.keep(pool, [POLICY])
        room_id = await keys.ensure_control_room(pool, room)
        await appender.start()
        found = await pool.fetch("select id from medic limit $1", LIVES * ALERTS)
        medics = itertools.cycle([row["id"] for row in found])
        for life in range(LIVES):
            hers = list(itertools.islice(medics, ALERTS))
            for work in _Life(room_id, hers, heard=life % UNHEARD_OF > 0).appends():
                await appender.append(work)
        await _copy(pool, room_id, count // LIVES - 1)
        await nodes.leave(pool, membership.id)
    finally:
        await appender.close()
        await pool.close()
    return count // UNHEARD_OF


async def _copy(pool: asyncpg.Pool, room_id: str, copies: int) -> None:
    apart = await pool.fetchval("select feed_pos from control_room where id = $1", room_id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local statement_timeout = 0")
        for table, changed in _COPIED.items():
            sql = _COPY.format(table=table, changed=changed, joined=_OTHERS if table == "alert" else "")
            await connection.execute(sql, copies, apart, timeout=COPY_S_MAX)
        sql = "update control_room set feed_pos = feed_pos * ($1::bigint + 1) where id = $2"
        await connection.execute(sql, copies, room_id)
    async with pool.acquire() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute("vacuum analyze", timeout=COPY_S_MAX)
