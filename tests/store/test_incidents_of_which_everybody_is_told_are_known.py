"""A start reads what a device may still come back for, and not what has ended and is told to everybody.

What a release before this one has written, or writes beside it until it is upgraded, counts as untold.
"""

import asyncpg
import pytest
from made import AT, POLICY, ROOM, closed, opening, then

from dispatch.core import events as e
from dispatch.store import incidents, policies
from dispatch.store.append_rows import arguments, rows_of
from dispatch.store.appends import Append
from dispatch.store.database import connect_pool, upgrade
from tests.joined import joined

BEFORE = "0003"
OLD_APPEND = "select append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"


def sent(n: int, k: int, purpose: e.Purpose) -> e.NotificationSent:
    return e.NotificationSent(
        at=AT + 500, by="timer", key=None, n=n, k=k, channel="websocket", purpose=purpose
    )


def told_to_stop(n: int) -> list[e.AnyEvent]:
    """On a socket that says nothing, like the alert before it."""
    by = {"at": AT + 2_000, "by": "timer", "key": None, "n": n}
    stop = e.NotificationRequested(**by, k=2, channel="websocket", purpose="stand_down")
    return [sent(n, 1, "alert"), e.AlertStoodDown(**by, reason="closed"), stop, sent(n, 2, "stand_down")]


def heard(n: int) -> e.NotificationDelivered:
    return e.NotificationDelivered(
        at=AT + 3_000, by="medic", key=None, n=n, k=2, channel="websocket", purpose="stand_down"
    )


async def write(db: asyncpg.Pool, *works: Append) -> None:
    """As a node of the release before does."""
    for i, work in enumerate(works):
        *rows, _ = arguments([rows_of(work, append_id=i)])
        await db.fetchval(OLD_APPEND, *rows, "node-a")


async def test_from_the_end_until_every_device_has_heard(appender, db):
    opened = opening("i1", ["anna", "bob"])
    await appender.append(opened)
    assert await incidents.untold(db, AT) == []
    over = then(opened, closed(), *told_to_stop(1), *told_to_stop(2), due_at=None)
    await appender.append(over)
    one_heard = then(over, heard(1), due_at=None)
    await appender.append(one_heard)
    assert await incidents.untold(db, AT + 2_000) == ["i1"]
    assert await incidents.untold(db, AT + 2_001) == [], "too long ago"
    await appender.append(then(one_heard, heard(2), due_at=None))
    assert await incidents.untold(db, AT) == []


async def test_nobody_to_be_told(appender, db):
    opened = opening("i1")
    await appender.append(opened)
    await appender.append(then(opened, closed(), due_at=None))
    assert await incidents.untold(db, AT) == []


async def test_a_node_that_is_not_upgraded_yet_goes_on_writing(db):
    await joined(db)
    opened = opening("i1")
    await write(db, opened, then(opened, closed(), due_at=None))
    assert await incidents.untold(db, AT) == ["i1"]


@pytest.fixture
async def before(database_url: str):
    """The same database as the release before had it, and how to upgrade it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    await upgrade(database_url, to=BEFORE)
    pool = await connect_pool(database_url)
    yield pool, database_url
    await pool.close()


async def test_what_ended_before_the_upgrade(before):
    db, url = before
    await db.execute("insert into control_room (id, name) values ($1, $1)", ROOM)
    await policies.keep(db, [POLICY])
    await joined(db)
    ended, live = opening("i1", ["anna"]), opening("i2")
    gone = then(ended, closed(), *told_to_stop(1), due_at=None)
    await write(db, ended, gone, live)
    await upgrade(url)
    await write(db, then(live, closed(AT + 5_000), due_at=None))
    assert await incidents.untold(db, AT) == ["i2", "i1"]
    assert (await incidents.load(db, "i1")).state == gone.streams[0].state
