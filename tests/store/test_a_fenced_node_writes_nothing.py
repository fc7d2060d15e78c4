"""A life is as long as its lease, by the database's clock: after that its writes are refused."""

import asyncio

import pytest
from made import ROOM, delivered, opening, then

from dispatch.store import feed, incidents, nodes
from dispatch.store.appends import Append, Fenced, Remembered
from tests.joined import joined, lapse


async def test_after_its_lease_an_append_is_refused_and_writes_nothing(appender, db):
    work = opening("i1", ["anna"])
    await appender.append(work)
    await lapse(db, "node-a")
    with pytest.raises(Fenced, match="node-a"):
        await appender.append(then(work, delivered(1)))
    with pytest.raises(Fenced):
        await appender.append(opening("i2"))
    with pytest.raises(Fenced):
        await appender.append(Append((), Remembered(ROOM, "key", b"hash", "i1", 1)))
    assert await feed.position(db, ROOM) == 3
    assert await db.fetchval("select count(*) from idempotency") == 0


async def test_a_batch_that_is_fenced_is_not_tried_again_singly(appender, db, monkeypatch):
    await lapse(db, "node-a")
    batches = []
    write = appender._write

    async def counted(jobs):
        batches.append(len(jobs))
        return await write(jobs)

    monkeypatch.setattr(appender, "_write", counted)
    works = [opening(f"i{i}") for i in range(5)]
    results = await asyncio.gather(*(appender.append(work) for work in works), return_exceptions=True)
    assert [type(result) for result in results] == [Fenced] * 5
    assert sum(batches) == 5
    assert len(batches) <= 2, "the first may have gone alone"


async def test_a_node_that_never_joined_writes_nothing(node, db):
    appender = await node()
    await nodes.leave(db, "node-a")
    with pytest.raises(Fenced):
        await appender.append(opening("i1"))


async def test_the_life_that_follows_writes_on(node, db):
    work = opening("i1", ["anna"])
    appender = await node()
    await appender.append(work)
    await lapse(db, "node-a")
    again = await node("node-a")
    await again.append(then(work, delivered(1)))
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state.alert(1).delivered_at is not None


async def test_a_restart_under_its_name_ends_the_former_life_at_once(db):
    await nodes.join(db, "first", "amsterdam", 60_000)
    await nodes.join(db, "second", "amsterdam", 60_000)
    assert (await nodes.look(db)).nodes == ("second",)
    assert not await nodes.renew(db, "first", 60_000)
    assert await nodes.renew(db, "second", 60_000)


async def test_a_lease_that_ran_out_is_not_renewed(db):
    await joined(db)
    await lapse(db, "node-a")
    assert not await nodes.renew(db, "node-a", 60_000)
    assert (await nodes.look(db)).nodes == ()


async def test_the_next_life_keeps_the_name_unless_another_has_it(db):
    await nodes.join(db, "first", "amsterdam", 60_000)
    assert await nodes.rejoin(db, "first", "second", 60_000)
    assert not await nodes.rejoin(db, "first", "third", 60_000)
    assert (await nodes.look(db)).nodes == ("second",)


async def test_who_decided_last_has_the_incident(node, db):
    one, other = await node("node-a"), await node("node-b")
    work = opening("i1", ["anna"])
    await one.append(work)
    assert await incidents.had_by(db, "node-a") == ["i1"]
    await other.append(then(work, delivered(1)))
    assert await incidents.had_by(db, "node-a") == []
    assert await incidents.had_by(db, "node-b") == ["i1"]
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.node == "node-b"
