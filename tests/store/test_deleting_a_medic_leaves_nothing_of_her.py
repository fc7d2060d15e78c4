"""Delete means delete: no row anywhere still holds her id, name, phone or place."""

from made import AT, a_medic, opening

from dispatch.records import Asked, Fix
from dispatch.store import alerts, enrolments, incidents, medics, positions, tokens

TOLD_TO_OTHER_NODES = "medic_gone"


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
