"""Transactions of several statements, on the model and on Postgres: who waits, who sees what, what is undone.

And what becomes of a connection that is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from dispatch.store import medics, news, nodes, policies
from dispatch.store.appender import Appender
from dispatch.store.statements import statements
from tests.simulator.database import ModelDatabase
from tests.simulator.database_pool import ModelPool, Network
from tests.simulator.store_plays import LONG_MS, Member
from tests.store import made

NEXT, NUMBER = statements("medics")["next_change"], statements("medics")["change_no"]
DELETE, FORGET = statements("medics")["delete"], statements("medics")["forget_alerts"]
ANNA, BOB = made.a_medic("anna"), made.a_medic("bob")
A_WHILE_S = 0.1
NODE = Member("a")


@pytest.fixture(params=["model", "postgres"])
def postgres(request: pytest.FixtureRequest) -> Any:
    """Its pool, or None where the model's turn is."""
    return request.getfixturevalue("pool") if request.param == "postgres" else None


@pytest.fixture
async def db(postgres: Any) -> AsyncIterator[Any]:
    """Anna and Bob, and a control room."""
    if postgres is None:
        model = ModelDatabase(lambda: made.AT)
        model.add_control_room(made.ROOM)
        pool: Any = ModelPool(model)
    else:
        pool = postgres
        await pool.execute("insert into control_room (id, name) values ($1, $1)", made.ROOM)
    await policies.keep(pool, [made.POLICY])
    await nodes.join(pool, NODE.id, NODE.name, LONG_MS)
    await medics.create(pool, [ANNA, BOB])
    yield pool
    if postgres is None:
        await pool.close()


async def waits(task: asyncio.Task[Any]) -> bool:
    await asyncio.sleep(A_WHILE_S)
    return not task.done()


async def test_who_changes_a_medic_waits_for_who_does(db):
    async with db.acquire() as connection:
        async with connection.transaction():
            assert await connection.fetchval(NEXT) == 2
            other = asyncio.create_task(medics.change(db, "anna", lambda medic: replace(medic, drills=True)))
            assert await waits(other)
            assert await medics.change_no(db) == 1
        assert await other == replace(ANNA, drills=True)
    assert await medics.change_no(db) == 3


async def test_what_is_not_committed_is_seen_by_nobody_else(db):
    async with db.acquire() as connection:
        async with connection.transaction():
            assert await connection.fetchval(DELETE, "anna")
            assert not await connection.fetchval(DELETE, "anna")
            assert await medics.get(connection, "anna") is None
            assert await medics.get(db, "anna") == ANNA
            assert await medics.by_phone(db, ANNA.phone) == ANNA
        assert await medics.get(db, "anna") is None
        assert await medics.by_phone(db, ANNA.phone) is None


async def test_what_fails_is_undone(db):
    async def fails():
        async with db.acquire() as connection, connection.transaction():
            await connection.fetchval(NEXT)
            await connection.fetchval(DELETE, "anna")
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await medics.change_no(db) == 1
    assert await medics.get(db, "anna") == ANNA


async def test_a_connection_that_is_lost_has_done_nothing_and_holds_nothing(db):
    connection = await db.acquire()
    await connection.transaction().start()
    await connection.fetchval(NEXT)
    await connection.fetchval(DELETE, "anna")
    other = asyncio.create_task(medics.delete(db, "bob"))
    assert await waits(other)
    connection.terminate()
    await db.release(connection)
    assert await other
    assert await medics.get(db, "anna") == ANNA
    assert await medics.change_no(db) == 2


async def test_after_a_refusal_nothing_is_taken_before_the_end(db):
    async with db.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.fetchval(NEXT)
        with pytest.raises(asyncpg.UniqueViolationError) as taken:
            await connection.copy_records_to_table("medic", records=[(*medics._row(ANNA), 1)])
        assert taken.value.constraint_name == "medic_pkey"
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await connection.fetchval(NUMBER)
        await transaction.rollback()
        assert await connection.fetchval(NUMBER) == 1


async def test_a_snapshot_shows_one_moment(db):
    async with (
        db.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        assert await medics.change_no(connection) == 1
        await medics.delete(db, "anna")
        await medics.change(db, "bob", lambda medic: replace(medic, drills=True))
        assert await medics.change_no(connection) == 1
        assert await medics.get(connection, "anna") == ANNA
        assert await medics.get(connection, "bob") == BOB
        assert await medics.change_no(db) == 3
    assert await medics.get(db, "anna") is None


async def test_each_statement_of_another_shows_its_own(db):
    async with db.acquire() as connection, connection.transaction():
        assert await medics.change_no(connection) == 1
        await medics.delete(db, "anna")
        assert await medics.change_no(connection) == 2


async def test_a_cursor_shows_the_moment_of_its_opening(db):
    async with db.acquire() as connection, connection.transaction():
        cursor = await connection.cursor(statements("medics")["roster"])
        await medics.delete(db, "bob")
        first, second, third = await cursor.fetch(1), await cursor.fetch(5), await cursor.fetch(5)
        assert sorted(row["id"] for row in first + second) == ["anna", "bob"]
        assert third == []


async def test_an_append_waits_for_who_deletes_a_medic_of_it(db):
    appender = Appender(db, node=NODE)
    await appender.start()
    opened = made.opening("i1", ["anna"])
    await appender.append(opened)
    async with db.acquire() as connection:
        async with connection.transaction():
            await connection.execute(FORGET, "anna")
            ending = asyncio.create_task(appender.append(made.then(opened, made.expired(1))))
            assert await waits(ending)
        assert await ending == {"i1": 4}
    await appender.close()


async def test_one_thing_at_a_time(db):
    async with db.acquire() as holder, holder.transaction():
        await holder.fetchval(NEXT)
        async with db.acquire() as connection:
            waiting = asyncio.create_task(connection.fetchval(NEXT, timeout=5 * A_WHILE_S))
            assert await waits(waiting)
            with pytest.raises(asyncpg.InterfaceError, match="another operation"):
                await connection.fetchval(NUMBER)
            with pytest.raises(TimeoutError):
                await waiting
            assert await connection.fetchval(NUMBER) == 1


async def test_a_connection_that_is_lost_takes_nothing(db):
    ended = []
    connection = await db.acquire()
    connection.add_termination_listener(ended.append)
    connection.terminate()
    with pytest.raises(asyncpg.InterfaceError):
        await connection.fetchval(NUMBER)
    await db.release(connection)
    await asyncio.sleep(0)
    assert len(ended) == 1
    assert await db.fetchval(NUMBER) == 1


async def test_who_listens_hears_of_it_after_the_commit_and_once(db):
    heard: list[str] = []

    def hear(_connection, _pid, channel, payload):
        assert channel == news.CHANNEL
        heard.append(payload)

    async with db.acquire() as listener, db.acquire() as other:
        await listener.add_listener(news.CHANNEL, hear)
        async with other.transaction():
            await news.notify(other, "one")
            await news.notify(other, "one")
            await asyncio.sleep(A_WHILE_S)
            assert heard == []
        undone = other.transaction()
        await undone.start()
        await news.notify(other, "undone")
        await undone.rollback()
        await news.notify(listener, "its own")
        await asyncio.sleep(A_WHILE_S)
        assert heard == ["one", "its own"]
        await listener.remove_listener(news.CHANNEL, hear)
        await news.notify(db, "two")
        await asyncio.sleep(A_WHILE_S)
        assert len(heard) == 2


class Losing(Network):
    """Loses the first reply, or the first request, and the connection with it."""

    def __init__(self, *, after: bool) -> None:
        self.after = after
        self.left = 0

    async def call(self, connection, execute):
        if not self.left:
            return execute()
        self.left -= 1
        if self.after:
            execute()
        connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


@pytest.mark.parametrize("after", [True, False])
async def test_the_reply_or_the_request_is_lost_and_it_is_written_once(after):
    model, network = ModelDatabase(lambda: made.AT), Losing(after=after)
    model.add_control_room(made.ROOM)
    pool: Any = ModelPool(model, network)
    await policies.keep(pool, [made.POLICY])
    await nodes.join(pool, NODE.id, NODE.name, LONG_MS)
    appender = Appender(pool, node=NODE)
    await appender.start()
    await appender.append(made.opening("i0"))
    told = []
    model.on_commit = told.append
    network.left = 1
    assert await appender.append(made.opening("i1", ["anna"])) == {"i1": 4}
    await appender.close()
    assert [one.incident_id for one in model.log] == ["i0", "i1"]
    assert [one.decisions for one in told] == [(model.log[1],)]
