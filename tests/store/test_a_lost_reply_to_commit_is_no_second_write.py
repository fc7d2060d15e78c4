"""A connection cut in the middle of the call: what was committed is found, what was not is written, once."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cut import Proxy
from made import AT, ROOM, delivered, opening, then

from dispatch.store import appender as appender_module
from dispatch.store import feed, incidents
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, Remembered, SeqConflict, Unavailable
from dispatch.store.database import connect_pool
from tests.joined import joined


@pytest.fixture
async def proxy(db, database_url) -> AsyncIterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="cut") as folder:  # short: a socket's path is at most 107 bytes
        proxy = Proxy(database_url, Path(folder))
        await proxy.start()
        yield proxy
        await proxy.stop()


@pytest.fixture
async def cut_off(proxy, db) -> AsyncIterator[Appender]:
    """An appender behind the proxy that has written once: the next call is one request and one reply."""
    pool = await connect_pool(proxy.dsn, min_size=1, max_size=2)
    appender = Appender(pool, await joined(db), patience_s=2.0)
    await appender.start()
    await appender.append(opening("first", ["ada"]))
    yield appender
    await appender.close()
    await asyncio.wait_for(pool.close(), 10)


def once(wanted: Callable[[bytes], bool] = lambda _: True) -> Callable[[bytes], bool]:
    """True to the first that is wanted."""
    left = [True]

    def ask(data: bytes) -> bool:
        return bool(left and wanted(data) and left.pop())

    return ask


async def written(db) -> list[str]:
    read = await feed.read(db, ROOM, after=0, limit=1000)
    assert [one.feed_pos for one in read] == list(range(1, len(read) + 1))
    return sorted(one.incident_id for one in read if one.seq == 1)


async def test_committed_and_the_reply_lost(cut_off, proxy, db):
    proxy.cut_reply = once()
    assert await cut_off.append(opening("i1", ["anna"])) == {"i1": 6}
    assert proxy.connections > 1
    assert await written(db) == ["first", "i1"]


async def test_committed_with_its_key_and_the_reply_lost(cut_off, proxy, db):
    key = Remembered(ROOM, "key-1", b"hash", "i1", AT)
    proxy.cut_reply = once()
    assert await cut_off.append(opening("i1", ["anna"], remember=key)) == {"i1": 6}
    proxy.cut_reply = once()
    other = Remembered(ROOM, "key-2", b"hash", "i1", AT)
    assert await cut_off.append(Append((), other)) == {}
    assert await db.fetchval("select count(*) from idempotency") == 2


async def test_a_whole_batch_committed_and_the_reply_lost(cut_off, proxy, db):
    opened = opening("i0", ["bob"])
    await cut_off.append(opened)
    proxy.cut_reply = once()
    works = [opening("i1"), opening("i2", ["cleo"]), then(opened, delivered(1)), opening("i3")]
    results = await asyncio.gather(*(cut_off.append(work) for work in works))
    assert [list(result) for result in results] == [["i1"], ["i2"], ["i0"], ["i3"]]
    assert await written(db) == ["first", "i0", "i1", "i2", "i3"]


async def test_the_request_lost(cut_off, proxy, db):
    proxy.cut_request = once(lambda data: b"i1" in data)
    assert await cut_off.append(opening("i1", ["anna"])) == {"i1": 6}
    assert await written(db) == ["first", "i1"]


async def test_the_first_try_commits_after_it_was_looked_for_and_before_the_second(cut_off, proxy, db):
    async def first_then_second(data: bytes) -> None:
        if b"IncidentOpened" in data:
            await proxy.release()

    proxy.cut_request = once(lambda data: b"IncidentOpened" in data)
    proxy.before = first_then_second
    assert await cut_off.append(opening("i1", ["anna"])) == {"i1": 6}
    assert await written(db) == ["first", "i1"]


async def test_the_first_try_comes_after_the_second(cut_off, proxy, db):
    proxy.cut_request = once(lambda data: b"IncidentOpened" in data)
    assert await cut_off.append(opening("i1", ["anna"])) == {"i1": 6}
    await proxy.release()
    assert await written(db) == ["first", "i1"]


async def test_anothers_decision_is_not_taken_for_ones_own(cut_off, proxy, node, db):
    """Two nodes decide the very same of an incident; the one whose reply was lost was not the first."""
    opened = opening("i1", ["anna"])
    await cut_off.append(opened)
    other = await node("node-b")
    proxy.cut_request = once(lambda data: b"AlertDelivered" in data)
    proxy.refusing = True
    late = asyncio.create_task(cut_off.append(then(opened, delivered(1))))
    await other.append(then(opened, delivered(1)))
    proxy.refusing = False
    with pytest.raises(SeqConflict):
        await late


async def test_nobody_waits_for_ever(cut_off, proxy, db):
    proxy.cut_request = once(lambda data: b"i1" in data)
    proxy.refusing = True
    with pytest.raises(Unavailable):
        await cut_off.append(opening("i1", ["anna"]))
    proxy.refusing = False
    await cut_off.append(opening("i2", ["bob"]))
    assert await written(db) == ["first", "i2"]
    record = await incidents.load(db, "i2")
    assert record is not None


async def test_nobody_waits_for_the_patience_of_others(cut_off, proxy, db, monkeypatch):
    """A batch was refused, and then its appends, singly, got no answer any more."""
    monkeypatch.setattr(appender_module, "WRITE_S_MAX", 0.5)
    opened = opening("i0", ["bob"])
    await cut_off.append(opened)
    await cut_off.append(then(opened, delivered(1)))
    singly = itertools.count()

    async def hang(data: bytes) -> None:
        if b"IncidentOpened" in data and next(singly) > 0:
            await asyncio.Event().wait()

    proxy.before = hang
    works = [then(opened, delivered(1)), *(opening(f"i{i}") for i in range(1, 11))]
    began = asyncio.get_running_loop().time()
    first, *others = await asyncio.gather(*(cut_off.append(work) for work in works), return_exceptions=True)
    took_s = asyncio.get_running_loop().time() - began
    assert type(first) is SeqConflict
    assert [type(other) for other in others] == [Unavailable] * 10
    assert took_s < 5.0, "its patience of 2 s and one last try, and not that of each after the other"
    proxy.before = None
    await cut_off.append(opening("i11"))
    assert await written(db) == ["first", "i0", "i11"]
