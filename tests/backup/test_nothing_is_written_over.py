"""Neither a database with anything in it, nor an earlier backup; and what failed leaves nothing behind."""

from pathlib import Path

import asyncpg
import pytest

from dispatch.store import backup as of_backups
from dispatch.store.archive import UnusableBackup
from dispatch.store.backup import backup, restore
from dispatch.store.database import DatabaseRefused, upgrade
from tests.api.world import everything
from tests.dispatcher.town import some_medics


async def test_a_database_with_rows(start_town, pool, database_url: str, tmp_path: Path) -> None:
    town = await start_town()
    await town.add(some_medics(1), connected=False)
    await backup(database_url, tmp_path / "b")
    before = await everything(pool)
    with pytest.raises(DatabaseRefused, match="is not empty"):
        await restore(database_url, tmp_path / "b")
    assert await everything(pool) == before


async def test_a_database_that_a_node_has_just_begun_on(
    start_town, pool, database_url: str, empty_database: str, tmp_path: Path
) -> None:
    """It has kept its policies and nothing else."""
    await start_town()
    await backup(database_url, tmp_path / "b")
    await pool.execute("delete from control_room")
    with pytest.raises(DatabaseRefused, match="has rows"):
        await restore(database_url, tmp_path / "b")


async def test_a_database_in_which_somebody_begins_meanwhile(
    start_town, database_url: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that no row of the backup meets: after the first look, before the tables are locked."""
    town = await start_town()
    await town.add(some_medics(1), connected=False)
    await backup(database_url, tmp_path / "b")
    real, connection = of_backups.upgrade, await asyncpg.connect(empty_database)

    async def upgraded_and_begun(dsn: str, **about: str) -> object:
        done = await real(dsn, **about)
        await connection.execute("insert into policy (hash, body) values ('other', '{}')")
        return done

    monkeypatch.setattr(of_backups, "upgrade", upgraded_and_begun)
    with pytest.raises(DatabaseRefused, match="policy has rows"):
        await restore(empty_database, tmp_path / "b")
    assert await connection.fetchval("select count(*) from medic") == 0
    await connection.close()


async def test_a_database_of_somebody_elses(database_url: str, empty_database: str, tmp_path: Path) -> None:
    await backup(database_url, tmp_path / "b")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("create table theirs (n integer)")
    with pytest.raises(DatabaseRefused, match="tables that are not ours"):
        await restore(empty_database, tmp_path / "b")
    await connection.close()


async def test_a_schema_of_another_revision(database_url: str, empty_database: str, tmp_path: Path) -> None:
    await backup(database_url, tmp_path / "b")
    await upgrade(empty_database, to="0001")
    with pytest.raises(DatabaseRefused, match="of revision 0001"):
        await restore(empty_database, tmp_path / "b")


async def test_nothing_to_back_up(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="nothing to back up"):
        await backup(empty_database, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


async def test_an_earlier_backup(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("the only one")
    with pytest.raises(UnusableBackup, match="is there already"):
        await backup(database_url, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "the only one"


async def test_a_backup_is_its_owners_alone(database_url: str, tmp_path: Path) -> None:
    await backup(database_url, tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


async def test_a_backup_that_fails_half_way_is_not_there(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **about: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("the server has gone")

    monkeypatch.setattr(asyncpg.Connection, "copy_from_table", away)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await backup(database_url, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


async def test_a_restore_that_fails_half_way_has_restored_nothing_and_is_tried_again(
    start_town, database_url: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await start_town()
    await town.add(some_medics(3), connected=False)
    await backup(database_url, tmp_path / "b")
    with monkeypatch.context() as patch:

        async def pause(_: object) -> None:
            raise OSError("killed here")

        patch.setattr(of_backups.service, "pause", pause)
        with pytest.raises(OSError, match="killed here"):
            await restore(empty_database, tmp_path / "b")
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("select count(*) from medic") == 0
    await restore(empty_database, tmp_path / "b")
    assert await connection.fetchval("select count(*) from medic") == 3
    await connection.close()
