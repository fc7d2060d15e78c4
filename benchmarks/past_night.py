"""A bad night's ended incidents in a database: some real lives, each copied many times.

The lives are decided by the core and appended like any other, a few decisions to each commit as a node
gathers them. The copies are made by the server, with ids and feed positions of their own and all else as it
was: they take a minute or two, where 50,000 lives would take ten.
"""

import itertools
import time
from collections.abc import Iterator, Sequence

import asyncpg

from benchmarks.one_incident import (
    ACCEPT,
    ALERTS,
    POLICY,
    OneIncident,
    answered,
    closed,
    delivered,
    without_socket,
)
from dispatch.nodes.membership import Membership
from dispatch.store import keys, nodes, policies
from dispatch.store.appender import Appender
from dispatch.store.appends import Append
from dispatch.store.database import connect_pool

LIVES = 20
UNHEARD_OF = 10
"""One life in so many ends with a stand-down that its device has not heard: it has not come back."""
LEASE_MS = 60_000
COPY_S_MAX = 600.0

# Each table's rows of the lives again, as copy ``g`` of $1; by $2 their feed positions lie apart.
_COPY = """
insert into {table}
select (jsonb_populate_record(t, jsonb_build_object({changed}))).*
from {table} t cross join generate_series(1, $1::bigint) g {joined}
where $2::bigint > 0
"""
_ID = "left(t.{0}, 21) || 'u' || lpad(to_hex(g), 4, '0')"
"""No id of ours has a u: a copy's is nobody's."""
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


def _life(room_id: str, medic_ids: Sequence[str], *, heard: bool) -> Iterator[Append]:
    """One incident from its opening to its close. ``heard``: every device knows that it is over."""
    one = OneIncident(room_id, medic_ids, at=time.time_ns() // 1_000_000 - 600_000)
    yield one.open()
    yield one.then(*(delivered(n) for n in range(1, ALERTS + 1)))
    yield one.then(*(answered(n, "decline") for n in range(ALERTS, ACCEPT, -1)))
    yield one.then(*(answered(n, "accept") for n in range(ACCEPT, 0, -1)))
    yield one.then(closed)
    told = [(alert.n, note.k) for alert in one.decided.state.alerts for note in alert.notes if note.pending]
    assert told
    last = delivered(*told[0]) if heard else without_socket(*told[0])
    yield one.then(*(delivered(n, k) for n, k in told[1:]), last)
    assert one.decided.due_at is None
    assert not any(note.pending for alert in one.decided.state.alerts for note in alert.notes)


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
            for work in _life(room_id, hers, heard=life % UNHEARD_OF > 0):
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
