"""The key's row is in the same commit: a decision with a key is either both or neither."""

import asyncio

import pytest
from made import AT, DAY_MS, OTHER_ROOM, ROOM, opening

from dispatch.store import idempotency, incidents
from dispatch.store.appends import Append, ClaimConflict, KeyTaken, Remembered


def key(subject, *, at=AT, room=ROOM, request=b"hash"):
    return Remembered(room, "key-1", request, subject, at)


async def test_both(appender, db):
    await appender.append(opening("i1", remember=key("i1")))
    assert await idempotency.find(db, ROOM, "key-1", at=AT + 1) == key("i1")
    assert await idempotency.find(db, OTHER_ROOM, "key-1", at=AT + 1) is None


async def test_neither(appender, db):
    await appender.append(opening("i1", ["anna"]))
    with pytest.raises(ClaimConflict):
        await appender.append(opening("i2", ["anna"], remember=key("i2")))
    assert await idempotency.find(db, ROOM, "key-1", at=AT) is None


async def test_of_twins_one_is_written(appender, node, db):
    other = await node("node-b")
    results = await asyncio.gather(
        appender.append(opening("i1", remember=key("i1"))),
        appender.append(opening("i2", remember=key("i2"))),
        other.append(opening("i3", remember=key("i3"))),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["KeyTaken", "KeyTaken", "dict"]
    (won,) = [result for result in results if isinstance(result, dict)]
    found = await idempotency.find(db, ROOM, "key-1", at=AT)
    assert found is not None
    assert [found.subject] == list(won)
    assert [await incidents.load(db, name) is not None for name in ("i1", "i2", "i3")].count(True) == 1


async def test_a_decision_that_changes_nothing_is_remembered(appender, db):
    assert await appender.append(Append((), key("i1"))) == {}
    assert await idempotency.find(db, ROOM, "key-1", at=AT) == key("i1")
    with pytest.raises(KeyTaken):
        await appender.append(Append((), key("i1")))


async def test_after_24_hours_it_is_free_again(appender, db):
    await appender.append(opening("i1", remember=key("i1")))
    assert await idempotency.find(db, ROOM, "key-1", at=AT + DAY_MS) is not None
    later = AT + DAY_MS + 1
    assert await idempotency.find(db, ROOM, "key-1", at=later) is None
    await appender.append(opening("i2", at=later, remember=key("i2", at=later, request=b"other")))
    assert await idempotency.find(db, ROOM, "key-1", at=later) == key("i2", at=later, request=b"other")


async def test_old_keys_are_forgotten(appender, db):
    await appender.append(opening("i1", remember=key("i1")))
    await idempotency.purge(db, at=AT + DAY_MS)
    assert await db.fetchval("select count(*) from idempotency") == 1
    await idempotency.purge(db, at=AT + DAY_MS + 1)
    assert await db.fetchval("select count(*) from idempotency") == 0
