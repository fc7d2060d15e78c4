"""However many nodes and decisions at once: the control room's lock makes the look certain."""

import asyncio

import pytest
from made import AT, DAY_MS, OTHER_ROOM, ROOM, opening

from dispatch.store import incidents
from dispatch.store.appends import ReferenceTaken


async def test_the_second_is_told_the_first(appender):
    await appender.append(opening("i1", reference="R"))
    with pytest.raises(ReferenceTaken) as taken:
        await appender.append(opening("i2", reference="R", at=AT + DAY_MS - 1))
    assert taken.value.incident_id == "i1"


async def test_another_control_room_may_use_it(appender):
    await appender.append(opening("i1", reference="R"))
    await appender.append(opening("i2", reference="R", room=OTHER_ROOM))


async def test_after_24_hours_it_may_be_used_again(appender, db):
    await appender.append(opening("i1", reference="R"))
    await appender.append(opening("i2", reference="R", at=AT + DAY_MS))
    assert await incidents.reference_used_since(db, ROOM, "R", AT + 1) == "i2"
    assert await incidents.reference_used_since(db, ROOM, "R", AT + DAY_MS + 1) is None


async def test_of_many_at_once_one_is_opened(appender, node, db):
    other = await node("node-b")
    works = [opening(f"i{i}", reference="R") for i in range(6)]
    results = await asyncio.gather(
        appender.append(opening("z")),
        *((appender if i % 2 else other).append(work) for i, work in enumerate(works)),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(dict) == 2
    assert [type(result) for result in results].count(ReferenceTaken) == 5
    assert await db.fetchval("select count(*) from incident where reference = 'R'") == 1
