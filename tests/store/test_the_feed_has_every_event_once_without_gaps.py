"""A dense position per control room, under several nodes that write at once."""

import asyncio
import random

from made import OTHER_ROOM, ROOM, delivered, expired, opening, then

from dispatch.store import feed, incidents
from dispatch.store.appends import SeqConflict


async def lives(appender, name, room, draw):
    """One node opens incidents and goes on with them; now and then it comes too late."""
    for i in range(12):
        opened = opening(f"{name}-{i}", [f"{name}-{i}-{n}" for n in range(draw.randint(0, 3))], room=room)
        await appender.append(opened)
        if not opened.streams[0].asked:
            continue
        once = then(opened, delivered(1))
        again = then(opened, expired(1))
        results = await asyncio.gather(appender.append(once), appender.append(again), return_exceptions=True)
        assert sum(isinstance(result, SeqConflict) for result in results) == 1


async def test_under_four_nodes_and_two_control_rooms(node, db):
    nodes = [await node(f"node-{i}") for i in range(4)]
    writers = [
        lives(appender, f"{i}{room[-1]}", room, random.Random(f"{i} {room}"))
        for i, appender in enumerate(nodes)
        for room in (ROOM, OTHER_ROOM)
    ]
    await asyncio.gather(*writers)
    for room in (ROOM, OTHER_ROOM):
        read = await read_all(db, room, page=7)
        assert [written.feed_pos for written in read] == list(range(1, await feed.position(db, room) + 1))
        for incident_id in {written.incident_id for written in read}:
            assert [w for w in read if w.incident_id == incident_id] == await incidents.events_of(
                db, incident_id
            )


async def read_all(db, room, page):
    read: list[feed.Written] = []
    while more := await feed.read(db, room, after=read[-1].feed_pos if read else 0, limit=page):
        assert len(more) <= page
        read += more
    return read


async def test_a_reader_resumes_in_the_middle_of_a_decision(appender, db):
    await appender.append(opening("i1", ["anna", "bob"]))
    whole = await feed.read(db, ROOM, after=0, limit=100)
    assert len(whole) == 5
    for after in range(6):
        assert await feed.read(db, ROOM, after=after, limit=100) == whole[after:]
    assert [written.seq for written in whole] == [1, 2, 3, 4, 5]


async def test_no_more_decisions_are_read_than_hold_what_was_asked_for(appender, db, monkeypatch):
    """Whoever was away for long would else read each of them as often as one holds events."""
    for i in range(6):
        await appender.append(opening(f"i{i}", [f"anna-{i}", f"bob-{i}"]))  # of five events each
    rows: list[int] = []
    written_in = feed.written_in
    monkeypatch.setattr(feed, "written_in", lambda read: rows.append(len(read)) or written_in(read))
    read = await feed.read(db, ROOM, after=2, limit=8)
    assert [written.feed_pos for written in read] == list(range(3, 11))
    read = await feed.read(db, ROOM, after=2, limit=9)
    assert [written.feed_pos for written in read] == list(range(3, 12))
    assert len(await feed.read(db, ROOM, after=2, limit=100)) == 28
    assert rows == [2, 3, 6]


async def test_the_append_gives_the_last_events_position(appender, db):
    assert await appender.append(opening("i1", ["anna"])) == {"i1": 3}
    assert await appender.append(opening("i2")) == {"i2": 4}
    assert await appender.append(opening("i3", room=OTHER_ROOM)) == {"i3": 1}
    assert await feed.position(db, ROOM) == 4
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.feed_pos == 3


async def test_the_view_shows_each_event(appender, db):
    await appender.append(opening("i1", ["anna"]))
    rows = await db.fetch('select seq, feed_pos, type, at, "by" from event order by feed_pos')
    assert [tuple(row)[:3] for row in rows] == [
        (1, 1, "IncidentOpened"),
        (2, 2, "AlertRequested"),
        (3, 3, "NotificationRequested"),
    ]
    assert {row["by"] for row in rows} == {"control_room"}
