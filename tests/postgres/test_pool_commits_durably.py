"""What every connection of the pool can be relied on for, whatever the server's defaults are."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from dispatch.embedded_postgres import cluster, postgres_at
from dispatch.store.database import DatabaseRefused, connect_pool
from tests.conftest import with_database


async def test_commits_wait_for_the_disk_where_the_database_says_otherwise(database_url):
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {name} set synchronous_commit = off")
    await connection.execute(f"alter database {name} set timezone = 'Asia/Tokyo'")
    await connection.execute(f"alter database {name} set default_transaction_isolation = 'serializable'")
    await connection.close()
    pool = await connect_pool(database_url)
    for _ in range(2):  # a connection's second use comes after its reset
        assert await pool.fetchval("show synchronous_commit") == "on"
        assert await pool.fetchval("show timezone") == "UTC"
        assert await pool.fetchval("show transaction_isolation") == "read committed"
    await pool.close()


async def test_a_server_that_forgets_is_refused(data_dir, monkeypatch):
    monkeypatch.setitem(cluster.MUST_HOLD, "fsync", "off")
    async with postgres_at(data_dir) as dsn:
        with pytest.raises(DatabaseRefused, match="fsync off"):
            await connect_pool(dsn)


async def test_a_pooler_that_drops_what_a_connection_asked_for_is_refused(database_url, tmp_path):
    """As PgBouncer does once it is told to ignore those settings, without which it takes nobody."""
    async with dropping_settings(database_url, tmp_path) as dsn:
        with pytest.raises(DatabaseRefused, match="a pooler does not pass that on"):
            await connect_pool(dsn)


@pytest.mark.parametrize(("encoding", "taken"), [("LATIN1", False), ("SQL_ASCII", True)])
async def test_a_database_that_has_not_every_letter_is_refused(database_url, encoding, taken):
    admin = await asyncpg.connect(database_url)
    name = f"{await admin.fetchval('select current_database()')}_{encoding.lower()}"
    await admin.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0")
    dsn = with_database(database_url, name)
    try:
        if taken:
            async with await connect_pool(dsn) as pool:
                assert await pool.fetchval("select $1::text", "Łódź") == "Łódź"
        else:
            with pytest.raises(DatabaseRefused, match="LATIN1"):
                await connect_pool(dsn)
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


async def test_json_comes_as_text(pool):
    assert await pool.fetchval("""select '{"a": 1}'::json""") == '{"a": 1}'
    assert await pool.fetchval("""select '{"a": 1}'::jsonb""") == '{"a": 1}'


async def test_a_statement_that_hangs_is_ended(pool):
    assert await pool.fetchval("show statement_timeout") == "30s"
    assert await pool.fetchval("show idle_in_transaction_session_timeout") == "1min"


async def test_the_server_sees_who_it_is(pool):
    assert await pool.fetchval("show application_name") == "dispatch"


@asynccontextmanager
async def dropping_settings(dsn: str, folder: Path) -> AsyncIterator[str]:
    """The DSN of a way to the same database, on which a connection's own settings are lost."""
    (host,) = parse_qs(urlsplit(dsn).query)["host"]

    async def pass_on(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        while data := await read.read(65536):
            write.write(data)
        write.close()

    async def came(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        server_read, server_write = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.5432")
        length, protocol = struct.unpack("!ii", await read.readexactly(8))
        words = (await read.readexactly(length - 8)).split(b"\0")
        kept = [
            word
            for name, value in zip(words[::2], words[1::2], strict=False)
            if name in (b"user", b"database", b"client_encoding")
            for word in (name, value)
        ]
        start = b"\0".join([*kept, b"", b""])
        server_write.write(struct.pack("!ii", len(start) + 8, protocol) + start)
        await asyncio.gather(pass_on(read, server_write), pass_on(server_read, write))

    async with await asyncio.start_unix_server(came, folder / ".s.PGSQL.5432"):
        yield urlsplit(dsn)._replace(query=f"host={folder}").geturl()
