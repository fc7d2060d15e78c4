"""What every connection of the pool can be relied on for, whatever the server's defaults are."""

import asyncpg
import pytest

from dispatch.embedded_postgres import cluster, postgres_at
from dispatch.store.database import DatabaseRefused, connect_pool


async def test_commits_wait_for_the_disk_where_the_database_says_otherwise(database_url):
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {name} set synchronous_commit = off")
    await connection.execute(f"alter database {name} set timezone = 'Asia/Tokyo'")
    await connection.close()
    pool = await connect_pool(database_url)
    for _ in range(2):  # a connection's second use comes after its reset
        assert await pool.fetchval("show synchronous_commit") == "on"
        assert await pool.fetchval("show timezone") == "UTC"
    await pool.close()


async def test_a_server_that_forgets_is_refused(data_dir, monkeypatch):
    monkeypatch.setitem(cluster.MUST_HOLD, "fsync", "off")
    async with postgres_at(data_dir) as dsn:
        with pytest.raises(DatabaseRefused, match="fsync off"):
            await connect_pool(dsn)


async def test_json_comes_as_text(pool):
    assert await pool.fetchval("""select '{"a": 1}'::json""") == '{"a": 1}'
    assert await pool.fetchval("""select '{"a": 1}'::jsonb""") == '{"a": 1}'


async def test_a_statement_that_hangs_is_ended(pool):
    assert await pool.fetchval("show statement_timeout") == "30s"
    assert await pool.fetchval("show idle_in_transaction_session_timeout") == "1min"


async def test_the_server_sees_who_it_is(pool):
    assert await pool.fetchval("show application_name") == "dispatch"
