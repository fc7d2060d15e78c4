"""The optimistic lock: two nodes decide about one incident at the same seq, and only one is written."""

import asyncio

import asyncpg
import pytest
from made import ROOM, accepted, delivered, expired, opening, state_of, then

from dispatch.store import incidents
from dispatch.store.appends import SeqConflict


async def test_the_second_is_refused_and_writes_nothing(appender, node, db):
    other = await node("node-b")
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    both = await asyncio.gather(
        appender.append(then(opened, delivered(1))),
        other.append(then(opened, expired(1))),
        return_exceptions=True,
    )
    winner, loser = sorted(both, key=lambda result: isinstance(result, Exception))
    assert winner == {"i1": 4}
    assert isinstance(loser, SeqConflict)
    assert loser.incident_id == "i1"
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state.seq == 4
    assert record.feed_pos == 4
    assert await db.fetchval("select feed_pos from control_room where id = $1", ROOM) == 4


async def test_it_decides_again_on_what_it_loads(appender, db):
    opened = opening("i1", ["anna"])
    first = then(opened, delivered(1))
    await appender.append(opened)
    await appender.append(first)
    with pytest.raises(SeqConflict):
        await appender.append(then(opened, accepted(1)))
    second = then(first, accepted(1))
    await appender.append(second)
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state == state_of(second)


async def test_an_incident_is_opened_once(appender):
    await appender.append(opening("i1"))
    with pytest.raises(SeqConflict):
        await appender.append(opening("i1", reference="another"))


async def test_an_unknown_incident_can_not_be_continued(appender):
    with pytest.raises(SeqConflict):
        await appender.append(then(opening("i1", ["anna"]), delivered(1)))


async def test_a_control_room_can_not_continue_anothers_incident(appender, db):
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    foreign = then(opening("i1", ["anna"], room="room-b"), delivered(1))
    with pytest.raises(SeqConflict):
        await appender.append(foreign)
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state == state_of(opened)


async def test_two_that_wait_for_one_commit_follow_each_other(appender, db):
    opened = opening("i1", ["anna"])
    first = then(opened, delivered(1))
    second = then(first, accepted(1))
    await asyncio.gather(*(appender.append(work) for work in (opened, first, second)))
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state == state_of(second)


async def test_an_unknown_control_room_is_a_mistake(appender):
    with pytest.raises(asyncpg.PostgresError, match="no control room"):
        await appender.append(opening("i1", room="room-x"))
