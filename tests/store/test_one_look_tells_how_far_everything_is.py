"""What a node follows, in one query and as of one moment."""

import asyncio

from made import OTHER_ROOM, ROOM, a_medic, opening

from dispatch.store import medics, news, nodes
from dispatch.store.nodes import Look
from tests.joined import joined, lapse


async def test_of_an_empty_database(pool):
    server = await pool.fetchval("select pg_postmaster_start_time()::text")
    assert await nodes.look(pool) == Look({}, 0, 0, (), None, server)


async def test_feeds_medics_news_and_nodes(appender, db):
    await appender.append(opening("i1", ["anna"]))
    await medics.create(db, [a_medic("anna")])
    await news.publish(db, "node-a", b"{}")
    await joined(db, "node-b")
    await joined(db, "node-c")
    await lapse(db, "node-c")
    await db.execute("update service set paused_at = 7")
    look = await nodes.look(db)
    assert look == Look({ROOM: 3, OTHER_ROOM: 0}, 1, 1, ("node-a", "node-b"), 7, look.server)


async def test_news_are_numbered_without_gaps_whoever_publishes(db):
    published = [news.publish(db, f"node-{i % 3}", b'{"n":%d}' % i) for i in range(30)]
    assert sorted(await asyncio.gather(*published)) == list(range(1, 31))
    pieces = await news.since(db, 0, limit=100)
    assert [piece.no for piece in pieces] == list(range(1, 31))
    assert sorted(int(piece.body[5:-1]) for piece in pieces) == list(range(30))
    assert [piece.no for piece in await news.since(db, 10, limit=5)] == [11, 12, 13, 14, 15]


async def test_old_news_are_forgotten_and_their_numbers_not_used_again(db):
    await news.publish(db, "node-a", b"{}")
    await db.execute("update news set at = at - 61000")
    await news.publish(db, "node-a", b"{}")
    await news.purge(db)
    assert [piece.no for piece in await news.since(db, 0, limit=10)] == [2]


async def test_nodes_long_dead_are_forgotten(db):
    for name in ("node-a", "node-b"):
        await joined(db, name)
    await lapse(db, "node-a")
    await db.execute("update node set lease_until = lease_until - 25 * 3600000 where id = 'node-b'")
    await nodes.purge(db)
    assert [row["id"] for row in await db.fetch("select id from node")] == ["node-a"]
