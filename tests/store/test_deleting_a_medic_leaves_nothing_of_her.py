"""Delete means delete: no row anywhere still holds her id, name, phone or place."""

import asyncio

from made import AT, a_medic, opening
from msgspec.structs import replace

from dispatch.records import Asked, Fix
from dispatch.store import alerts, enrolments, incidents, medics, positions, tokens

TOLD_TO_OTHER_NODES = "medic_gone"
OTHERS = "insert into decision_input select 'x' || n, 1, repeat(n::text, 500) from generate_series(1, 40) n"
WAITS = "select true from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


async def test_no_row_holds_her(appender, db):
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    await positions.save(db, [Fix("anna", 1.0, 2.0, None, AT)])
    await tokens.create(db, "anna", secret_hash=b"h" * 32, at=AT)
    await enrolments.put(db, "anna", "123456", at=AT)
    await appender.append(opening("i1", ["anna", "bob"]))
    assert await tables_that_hold(db, "anna") >= {"medic", "alert", "decision_input", "device_token"}
    assert await medics.delete(db, "anna")
    assert await tables_that_hold(db, "anna") == {TOLD_TO_OTHER_NODES}
    assert await medics.get(db, "anna") is None
    assert not await medics.delete(db, "anna")


async def test_her_alerts_keep_their_number_alone(appender, db):
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    opened = opening("i1", ["anna", "bob"])
    await appender.append(opened)
    await medics.delete(db, "anna")
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state == opened.streams[0].state
    assert record.asked == (Asked(2, "bob", 200, 2),)
    assert await alerts.of_medic(db, "anna", ended_since=0) == []


async def test_others_are_untouched(appender, db):
    await medics.create(db, [a_medic("anna"), a_medic("annabel")])
    await appender.append(opening("i1", ["annabel"]))
    await medics.delete(db, "anna")
    assert await medics.get(db, "annabel") == a_medic("annabel")
    assert await incidents.inputs_of(db, "i1") != {}


async def test_decisions_are_looked_through_some_at_a_time(appender, db, monkeypatch):
    """A statement has 30 s, in which four million decisions can be looked through and no more."""
    monkeypatch.setattr(medics, "PAGES_AT_ONCE", 1)
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    for i in range(12):
        await appender.append(opening(f"i{i}", ["anna" if i % 2 else "bob"], drill=True))
    await db.execute(OTHERS)
    await appender.append(opening("i99", ["anna"]))
    assert await db.fetchval("select max((ctid::text::point)[0]) from decision_input") > 2
    assert await medics.delete(db, "anna")
    assert await tables_that_hold(db, "anna") == {TOLD_TO_OTHER_NODES}
    assert len(await incidents.inputs_of(db, "i2")) == 1


async def test_nobody_else_waits_while_old_decisions_are_looked_through(appender, db):
    """There may be a million of them."""
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    await appender.append(opening("i1", ["anna"]))
    async with db.acquire() as connection, connection.transaction():
        await connection.execute("select from decision_input for update")
        deleting = asyncio.create_task(medics.delete(db, "anna"))
        async with asyncio.timeout(5):
            while not await db.fetchval(WAITS):  # a transaction sees who waits as at its first look
                await asyncio.sleep(0.01)
            assert await medics.change(db, "bob", lambda bob: replace(bob, available=False))
        assert not deleting.done()
    assert await deleting
    assert await tables_that_hold(db, "anna") == {TOLD_TO_OTHER_NODES}


async def tables_that_hold(db, word):
    """The tables with a row that holds a word, in any column."""
    tables = [
        row["tablename"]
        for row in await db.fetch("select tablename from pg_tables where schemaname = 'public'")
    ]
    return {
        table
        for table in tables
        if await db.fetchval(f"select count(*) from {table} as t where t::text ~ $1", rf"\y{word}\y")
    }
