"""Over channels that can not tell a repeat: by the node that has it and lives, before the call, once."""

import asyncio

import pytest
from made import AT, opening, sms_sent, then
from msgspec.structs import replace

from dispatch.store import nodes, notifications
from tests.joined import joined, lapse


@pytest.fixture
async def told(appender):
    """An incident whose one alert goes out by SMS; node-a is to send it."""
    work = opening("i1", ["anna"], channel="sms")
    await appender.append(work)
    return work


async def attempt(db, by="node-a", at=AT + 1):
    return await notifications.attempt(db, "i1", 1, 1, by=by, at=at) is not None


async def test_of_many_tries_at_once_one_may_call(told, db):
    tries = await asyncio.gather(*(attempt(db) for _ in range(5)))
    assert tries.count(True) == 1
    assert not await attempt(db)


async def test_not_by_another_node(told, db):
    assert not await attempt(db, by="node-b")


async def test_not_after_the_lease(told, db):
    await lapse(db, "node-a")
    assert not await attempt(db)


async def test_not_by_a_life_that_another_of_its_name_has_followed(told, db):
    await nodes.join(db, "node-a-again", "node-a", 60_000)
    assert not await attempt(db)


async def test_not_after_its_outcome(told, db, appender):
    await appender.append(then(told, sms_sent(1)))
    assert not await attempt(db)


async def test_again_once_certainly_not_sent(told, db):
    assert await attempt(db)
    assert not await notifications.take_back(db, "i1", 1, 1, by="node-b", at=AT + 1)
    for _ in range(2):  # the reply to the first may have been lost
        assert await notifications.take_back(db, "i1", 1, 1, by="node-a", at=AT + 1)
    assert await attempt(db)


async def test_what_is_known_of_an_older_attempt_takes_no_newer_one_back(told, db):
    assert await attempt(db)
    assert await notifications.take_back(db, "i1", 1, 1, by="node-a", at=AT + 1)
    assert await attempt(db, at=AT + 2)
    assert not await notifications.take_back(db, "i1", 1, 1, by="node-a", at=AT + 1)
    assert not await attempt(db)


async def test_an_attempt_whose_reply_was_lost_is_replaced_by_the_next(told, db):
    assert await attempt(db)
    assert not await attempt(db, at=AT + 2)
    assert await notifications.attempt(db, "i1", 1, 1, by="node-a", at=AT + 2, unheard=[AT, AT + 1])
    assert not await notifications.attempt(db, "i1", 1, 1, by="node-a", at=AT + 1)


async def test_not_taken_back_after_the_lease(told, db):
    assert await attempt(db)
    await lapse(db, "node-a")
    assert not await notifications.take_back(db, "i1", 1, 1, by="node-a", at=AT + 1)


async def test_another_node_takes_over_what_was_left(told, db):
    await joined(db, "node-b")
    assert await attempt(db)
    assert await notifications.take_over(db, by="node-b", limit=10) == []
    await lapse(db, "node-a")
    (left,) = await notifications.take_over(db, by="node-b", limit=10)
    assert (left.incident_id, left.n, left.k, left.channel, left.purpose) == ("i1", 1, 1, "sms", "alert")
    assert left.attempted_at == AT + 1
    assert not await attempt(db, by="node-b"), "tried before"
    assert await notifications.take_over(db, by="node-b", limit=10) == []
    assert await notifications.held(db, by="node-b") == [left]


async def test_of_two_who_take_over_at_once_each_takes_others(appender, db):
    for i in range(40):
        await appender.append(opening(f"i{i:02}", [f"medic-{i}"], channel="sms"))
    await joined(db, "node-b")
    await joined(db, "node-c")
    await lapse(db, "node-a")
    takers = [notifications.take_over(db, by=by, limit=5) for by in ["node-b", "node-c"] * 4]
    taken = [one.incident_id for some in await asyncio.gather(*takers) for one in some]
    taken += [one.incident_id for one in await notifications.take_over(db, by="node-b", limit=40)]
    assert sorted(taken) == [f"i{i:02}" for i in range(40)]


async def test_an_outcome_ends_it(told, db, appender):
    assert [one.k for one in await notifications.unsettled(db, "i1")] == [1]
    (stream,) = then(told, sms_sent(1)).streams
    await appender.append(replace(told, streams=(replace(stream, provider_ids=((1, 1, "SM1"),)),)))
    assert await notifications.unsettled(db, "i1") == []
    row = await db.fetchrow("select state, provider_id from notification")
    assert tuple(row) == ("sent", "SM1")


async def test_what_was_requested_and_settled_in_one_decision_is_not_left(appender, db):
    work = opening("i1", ["anna"], channel="sms")
    (stream,) = work.streams
    both = then(work, sms_sent(1)).streams[0]
    whole = replace(stream, events=(*stream.events, *both.events), state=both.state)
    await appender.append(replace(work, streams=(whole,)))
    assert await notifications.unsettled(db, "i1") == []


async def test_what_goes_over_a_socket_needs_no_row(appender, db):
    await appender.append(opening("i1", ["anna"], channel="websocket"))
    assert await notifications.unsettled(db, "i1") == []
