"""What a dead node left undone becomes another's: each incident that of one, however many look at once."""

import asyncio

from made import AT, closed, expired, opening, then

from dispatch.store import incidents, nodes
from tests.joined import joined, lapse


async def test_of_two_who_take_over_at_once_each_takes_others(appender, db):
    for i in range(60):
        await appender.append(opening(f"i{i:02}"))
    for name in ("node-b", "node-c"):
        await joined(db, name)
    await lapse(db, "node-a")
    takers = [incidents.take_over(db, by, 5) for by in ["node-b", "node-c"] * 5]
    taken = [incident_id for some in await asyncio.gather(*takers) for incident_id in some]
    taken += await incidents.take_over(db, "node-b", 60)
    assert sorted(taken) == [f"i{i:02}" for i in range(60)]
    had = [await incidents.had_by(db, by) for by in ("node-b", "node-c")]
    assert sorted(had[0] + had[1]) == sorted(taken)
    assert await incidents.take_over(db, "node-c", 60) == []


async def test_those_of_a_node_that_lives_are_left_to_it(appender, db):
    await appender.append(opening("i1"))
    await joined(db, "node-b")
    assert await incidents.take_over(db, "node-b", 10) == []


async def test_those_of_a_node_that_left_are_anybodys_at_once(appender, db):
    await appender.append(opening("i1"))
    await joined(db, "node-b")
    await nodes.leave(db, "node-a")
    assert await incidents.take_over(db, "node-b", 10) == ["i1"]


async def test_what_has_nothing_left_to_do_is_nobodys(appender, db):
    work = opening("i1", ["anna"], channel="websocket")
    await appender.append(work)
    ended = opening("i2", due_at=None)
    await appender.append(ended)
    await appender.append(then(ended, closed(AT + 1), due_at=None))
    await joined(db, "node-b")
    await lapse(db, "node-a")
    assert await incidents.take_over(db, "node-b", 10) == ["i1"]


async def test_a_decision_on_its_way_meanwhile_is_waited_for_by_nobody(appender, db):
    """Its incident is passed over, and found at the next look."""
    work = opening("i1", ["anna"])
    await appender.append(work)
    await appender.append(opening("i2"))
    await joined(db, "node-b")
    await lapse(db, "node-a")
    async with db.acquire() as other, other.transaction():
        await other.execute("select from incident where id = 'i1' for update")
        assert await incidents.take_over(db, "node-b", 10) == ["i2"]
    assert await incidents.take_over(db, "node-b", 10) == ["i1"]


async def test_incidents_from_before_there_were_several_nodes_are_taken_up(appender, db):
    work = opening("i1", ["anna"])
    await appender.append(then_opened := work)
    await appender.append(then(then_opened, expired(1)))
    await db.execute("update incident set node = null")
    await joined(db, "node-b")
    assert await incidents.take_over(db, "node-b", 10) == ["i1"]
