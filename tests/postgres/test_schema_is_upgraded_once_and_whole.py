"""`upgrade`: one node at a time, all revisions or none, never backwards, and nothing on stdout."""

import asyncio
import subprocess
import sys
import zipfile
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from dispatch.store import database, migrating
from dispatch.store.database import DatabaseRefused, newest_revision, upgrade

START = """
import asyncio, sys
import dispatch.serving
from dispatch.store.database import upgrade

assert len(set(asyncio.run(upgrade(sys.argv[1])))) == 1
print(sys.modules.keys() & {"alembic", "sqlalchemy", "twilio.rest", "aiohttp", "rich"})
"""
WAITS = "select true from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
REVISION = """
from alembic import op

revision = {revision!r}
down_revision = {before!r}


def upgrade() -> None:
    op.execute({sql!r})
"""


@pytest.fixture
async def empty(database_url) -> str:
    """A database without a schema."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    return database_url


@pytest.fixture
def migrations(tmp_path) -> Path:
    """A folder of migrations without any yet."""
    (tmp_path / "versions").mkdir()
    source = database.MIGRATIONS / "env.py"
    (tmp_path / "env.py").write_text(source.read_text())
    return tmp_path


def add(migrations: Path, revision: str, before: str | None, sql: str) -> None:
    text = REVISION.format(revision=revision, before=before, sql=sql)
    (migrations / "versions" / f"{revision}.py").write_text(text)


async def test_an_empty_database_gets_all_and_a_second_time_nothing(empty, migrations, capsys):
    add(migrations, "0001", None, "create table a (n int)")
    add(migrations, "0002", "0001", "create table b (n int)")
    assert await upgrade(empty, migrations) == (None, "0002")
    assert await upgrade(empty, migrations) == ("0002", "0002")
    add(migrations, "0003", "0002", "create table c (n int)")
    assert await upgrade(empty, migrations) == ("0002", "0003")
    assert await tables(empty) == {"a", "b", "c", "alembic_version"}
    assert capsys.readouterr().out == ""


async def test_nodes_that_start_together_migrate_once(empty, migrations):
    add(migrations, "0001", None, "create table a as select pg_sleep(0.2)::text")
    results = await asyncio.gather(*(upgrade(empty, migrations) for _ in range(6)))
    assert sorted(results, key=str) == [("0001", "0001")] * 5 + [(None, "0001")]


async def test_a_revision_that_fails_takes_the_others_back_with_it(empty, migrations):
    add(migrations, "0001", None, "create table a (n int)")
    add(migrations, "0002", "0001", "create tabel b (n int)")
    with pytest.raises(Exception, match="syntax error"):
        await upgrade(empty, migrations)
    assert "a" not in await tables(empty)


async def test_a_database_newer_than_the_program_is_refused(empty, migrations):
    add(migrations, "0001", None, "create table a (n int)")
    add(migrations, "0002", "0001", "create table b (n int)")
    await upgrade(empty, migrations)
    (migrations / "versions" / "0002.py").unlink()
    with pytest.raises(
        DatabaseRefused, match="at revision 0002, which this program does not know"
    ) as refused:
        await upgrade(empty, migrations)
    assert "newer release" in refused.value.hint


async def test_a_node_that_waits_too_long_says_so(empty, migrations, monkeypatch):
    monkeypatch.setattr(database, "MIGRATION_WAIT_S_MAX", 1)
    add(migrations, "0001", None, "create table a (n int)")
    other = await asyncpg.connect(empty)
    await other.execute("select pg_advisory_lock($1)", database.MIGRATION_LOCK)
    with pytest.raises(DatabaseRefused, match="another node has been migrating"):
        await upgrade(empty, migrations)
    await other.close()
    assert await upgrade(empty, migrations) == (None, "0001")


async def test_while_somebody_reads_for_long_nobody_waits_for_a_migration(empty, migrations, monkeypatch):
    """Who waits for a table alone has everybody wait who comes after, each append of every node."""
    monkeypatch.setattr(migrating, "TAKE_MS_MAX", 100)
    monkeypatch.setattr(migrating, "PAUSE_S", 0.05)
    add(migrations, "0001", None, "create table a (n int)")
    await upgrade(empty, migrations)
    add(migrations, "0002", "0001", "alter table a add m int")
    reader, node = await asyncpg.connect(empty), await asyncpg.connect(empty)
    async with reader.transaction():
        await reader.execute("select from a")
        monkeypatch.setattr(database, "MIGRATION_WAIT_S_MAX", 0.3)
        with pytest.raises(DatabaseRefused, match="other transactions have held"):
            await upgrade(empty, migrations)
        monkeypatch.setattr(database, "MIGRATION_WAIT_S_MAX", 60)
        upgrading = asyncio.create_task(upgrade(empty, migrations))
        async with asyncio.timeout(10):
            while not await node.fetchval(WAITS):
                await asyncio.sleep(0.01)
            await node.execute("insert into a values (1)")
        assert not upgrading.done()
    assert await upgrading == ("0001", "0002")
    await reader.close()
    await node.close()


async def test_the_projects_own_schema_is_complete(database_url):
    before, after = await upgrade(database_url)
    assert before == after
    assert after is not None


def test_the_newest_revision_is_told_by_the_files_names():
    scripts = ScriptDirectory(str(database.MIGRATIONS))
    assert newest_revision(database.MIGRATIONS) == scripts.get_current_head()
    for script in scripts.walk_revisions():
        assert Path(script.path).stem.partition("_")[0] == script.revision


def test_a_start_with_nothing_to_upgrade_and_no_sms_does_without_their_libraries(database_url):
    done = subprocess.run(
        [sys.executable, "-c", START, database_url], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def test_migrations_are_part_of_the_wheel(tmp_path, pytestconfig):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(pytestconfig.rootpath)).build(directory=str(tmp_path), versions=["standard"])
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {path for path in database.MIGRATIONS.rglob("*") if path.suffix in {".py", ".sql"}}
    assert {str(path.relative_to(pytestconfig.rootpath)) for path in ours} <= packed


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        return {row["tablename"] for row in found}
    finally:
        await connection.close()
