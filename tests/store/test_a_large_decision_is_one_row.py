"""Events and inputs of many alerts are compressed in their row: their commit is fewer pages of log."""

from made import ROOM, opening

from dispatch.store import feed, incidents

INCIDENT = "01m87gkpv3dwm6kbn7ew81vnnh"  # as long as they are
MEDICS = [f"medic-{i:020}" for i in range(200)]
ASIDE = """
    select relname, pg_relation_size(reltoastrelid) from pg_class
    where relname in ('decision', 'decision_input')
"""


async def test_nothing_of_it_is_put_aside_and_all_of_it_is_read(appender, db):
    work = opening(INCIDENT, MEDICS)
    await appender.append(work)
    stored, whole = await db.fetchrow("select pg_column_size(events), length(events) from decision")
    assert stored * 5 < whole > 20_000
    assert dict(await db.fetch(ASIDE)) == {"decision": 0, "decision_input": 0}
    (stream,) = work.streams
    assert tuple(one.event for one in await feed.read(db, ROOM, after=0, limit=1000)) == stream.events
    assert await incidents.inputs_of(db, INCIDENT) == {1: stream.inputs}
