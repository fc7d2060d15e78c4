"""An incident loaded is the one that was decided: state, personal side, who was asked, policy."""

import pytest
from made import (
    AT,
    DETAILS,
    OTHER_ROOM,
    POLICY,
    ROOM,
    accepted,
    closed,
    delivered,
    expired,
    opening,
    state_of,
    then,
)
from msgspec.structs import replace

from dispatch.records import Position
from dispatch.store import incidents, policies


async def test_whole(appender, db):
    opened = opening("i1", ["anna", "bob"])
    await appender.append(opened)
    steps = [delivered(1)], [accepted(1), expired(2)], [closed()]
    work = opened
    for step in steps:
        work = then(work, *step, due_at=None)
        await appender.append(work)
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.state == state_of(work)
    assert record.asked == opened.streams[0].asked
    assert (record.details, record.policy, record.control_room_id) == (DETAILS, POLICY, ROOM)
    assert (record.feed_pos, record.due_at) == (9, None)
    assert [written.seq for written in await incidents.events_of(db, "i1")] == list(range(1, 10))


class Watched:
    """The database, and how many times it was asked."""

    def __init__(self, db):
        self._db, self.asked = db, 0

    async def fetch(self, sql, *arguments):
        self.asked += 1
        return await self._db.fetch(sql, *arguments)


async def test_what_was_known_and_the_events_since(appender, db):
    work = opening("i1", ["anna", "bob"])
    await appender.append(work)
    known = [await incidents.load(db, "i1")]
    for step in ([delivered(1)], [accepted(1), expired(2)], [closed()]):
        work = then(work, *step, due_at=None)
        await appender.append(work)
        known.append(await incidents.load(db, "i1"))
    whole, watched = known[-1], Watched(db)
    for before in known:
        assert await incidents.load_since(watched, ["i1", "none"], {"i1": before}) == [whole]
    assert watched.asked == len(known)  # none was read whole


async def test_what_does_not_go_on_from_what_was_known_is_read_whole(appender, db):
    work = opening("i1", ["anna", "bob"])
    await appender.append(work)
    opened = await incidents.load(db, "i1")
    work = then(work, delivered(1))
    await appender.append(work)
    whole = await incidents.load(db, "i1")
    ahead = replace(whole, state=replace(whole.state, seq=whole.state.seq + 1))
    behind = replace(whole, feed_pos=whole.feed_pos - 1)
    nobody_asked = replace(opened, state=replace(opened.state, alerts=[]))
    in_between = replace(opened, state=replace(opened.state, seq=opened.state.seq - 1))
    for before in (ahead, behind, nobody_asked, in_between):
        watched = Watched(db)
        assert await incidents.load_since(watched, ["i1"], {"i1": before}) == [whole]
        assert watched.asked == 2


async def test_changed_details_take_the_place_of_the_old(appender, db):
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    (stream,) = then(opened, delivered(1)).streams
    moved = replace(DETAILS, position=Position(53.0, -6.0), address=None)
    await appender.append(replace(opened, streams=(replace(stream, details=moved),)))
    record = await incidents.load(db, "i1")
    assert record is not None
    assert record.details == moved


async def test_inputs_stand_beside_their_decision(appender, db):
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    await appender.append(then(opened, delivered(1)))
    assert await incidents.inputs_of(db, "i1") == {1: opened.streams[0].inputs}


async def test_unknown_is_none(db):
    assert await incidents.load(db, "i1") is None
    assert await incidents.events_of(db, "i1") == []


async def test_what_is_owed_a_tick_or_an_outcome(appender, db):
    await appender.append(opening("ticks"))
    await appender.append(opening("quiet", due_at=None))
    await appender.append(opening("untold", ["anna"], due_at=None))
    assert sorted(await incidents.owed(db)) == ["ticks", "untold"]


async def test_pages_newest_first(appender, db):
    for i in range(7):
        await appender.append(opening(f"i{i}", at=AT + i // 2))
    await appender.append(opening("elsewhere", room=OTHER_ROOM))
    seen, cursor = [], None
    while True:
        page = await incidents.list_page(db, ROOM, limit=3, cursor=cursor)
        assert len(page.items) <= 3
        seen += [record.id for record in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["i6", "i5", "i4", "i3", "i2", "i1", "i0"]


async def test_pages_by_state_and_reference(appender, db):
    ended = opening("i1", reference="R")
    await appender.append(ended)
    await appender.append(then(ended, closed(), due_at=None))
    await appender.append(opening("i2", reference="S"))

    async def ids(**which):
        return [record.id for record in (await incidents.list_page(db, ROOM, limit=9, **which)).items]

    assert await ids(states=("open", "held")) == ["i2"]
    assert await ids(states=("closed",)) == ["i1"]
    assert await ids(reference="R") == ["i1"]
    assert await ids(states=("open",), reference="R") == []


@pytest.mark.parametrize("cursor", ["", "x", "1", "-1.i1", "9" * 40 + ".i", "١.i"])
async def test_a_cursor_of_nobodys_making(db, cursor):
    with pytest.raises(ValueError, match="cursor"):
        await incidents.list_page(db, ROOM, limit=3, cursor=cursor)


async def test_a_policy_kept_twice_is_one(db):
    await policies.keep(db, [POLICY, replace(POLICY, wanted=9)])
    assert await db.fetchval("select count(*) from policy") == 2
    for policy in (POLICY, replace(POLICY, wanted=9)):
        assert await policies.get(db, policies.digest(policy)) == policy
    assert await policies.get(db, "none") is None


async def test_an_incident_needs_its_policy(appender, db):
    await db.execute("delete from policy")
    with pytest.raises(Exception, match="policy"):
        await appender.append(opening("i1"))
