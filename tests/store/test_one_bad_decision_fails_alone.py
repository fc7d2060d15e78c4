"""What was to be one commit is tried singly where the database refuses it."""

import asyncio

from made import ROOM, delivered, opening, then

from dispatch.store import feed, incidents
from dispatch.store.appends import ClaimConflict, ReferenceTaken, SeqConflict


async def test_among_good_ones(appender, db):
    old = opening("old", ["anna"])
    await appender.append(old)
    await appender.append(then(old, delivered(1)))
    works = [
        opening("i1", ["bob"]),
        then(old, delivered(1)),
        opening("i2", ["anna", "cleo"]),
        opening("i3", ["dan"]),
        opening("i4", reference="i1"),
        opening("i5", ["eve"]),
    ]
    results = await asyncio.gather(
        *(appender.append(work) for work in (opening("first"), *works)), return_exceptions=True
    )
    assert [type(result) for result in results] == [
        dict, dict, SeqConflict, ClaimConflict, dict, ReferenceTaken, dict,
    ]  # fmt: skip
    read = await feed.read(db, ROOM, after=0, limit=100)
    assert [written.feed_pos for written in read] == list(range(1, len(read) + 1))
    assert {written.incident_id for written in read} == {"old", "first", "i1", "i3", "i5"}
    assert await incidents.load(db, "i2") is None


async def test_a_mistake_of_ours_fails_alone_too(appender, db):
    broken = opening("i1", ["anna"])
    bad = then(broken, delivered(1))
    wrong = opening("x" * 5, room="no-such-room")
    results = await asyncio.gather(
        *(appender.append(work) for work in (opening("i0"), broken, wrong, bad)), return_exceptions=True
    )
    assert [isinstance(result, dict) for result in results] == [True, True, False, True]
    await appender.append(opening("i9"))
