"""What the embedded server promises whoever is let in, and that nobody else is."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from dispatch.embedded_postgres import EmbeddedPostgres

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


async def test_what_it_commits_is_on_disk(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        told = dict(await connection.fetch("select name, setting from pg_settings"))
        await connection.close()
    assert (told["fsync"], told["synchronous_commit"], told["full_page_writes"]) == ("on", "on", "on")
    assert (told["data_checksums"], told["server_encoding"], told["TimeZone"]) == ("on", "UTF8", "UTC")


async def test_operators_settings_do_not_make_it_forgetful(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("alter system set fsync = off")
        await connection.close()
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("show fsync") == "on"
        await connection.close()


async def test_it_listens_on_no_network(data_dir, server_processes):
    async with EmbeddedPostgres(data_dir):
        assert server_processes()
        assert [c for process in server_processes() for c in process.net_connections("inet")] == []


async def test_its_files_and_socket_are_its_owners_alone(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        socket = socket_of(server)
        assert [mode(data_dir), mode(data_dir / "postgres"), mode(socket.parent), mode(socket)] == [0o700] * 4
        assert {mode(path) for path in data_dir.iterdir() if path.is_file()} == {0o600}


@as_root
async def test_it_does_not_run_as_root_nor_as_a_user_that_others_are(data_dir, server_processes):
    async with EmbeddedPostgres(data_dir):
        users = {process.uids().effective for process in server_processes()}
        groups = {process.gids().effective for process in server_processes()}
    assert len(users) == len(groups) == 1
    assert not users & {0, NOBODY}
    assert not groups & {0, NOBODY}


@as_root
async def test_another_os_user_cannot_reach_the_socket(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        with acting_as(NOBODY), pytest.raises(PermissionError):
            await asyncpg.connect(server.dsn)


@as_root
async def test_another_os_user_is_not_let_in_even_where_every_folder_is_open():
    with TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        async with EmbeddedPostgres(Path(folder) / "data") as server:
            socket = socket_of(server)
            for path in (Path(folder) / "data", socket.parent, socket):
                path.chmod(0o777)
            await (await asyncpg.connect(server.dsn)).close()
            with acting_as(NOBODY), pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await asyncpg.connect(server.dsn)
            socket.parent.chmod(0o700)


@as_root
async def test_root_writes_through_no_link_of_the_databases_owner(data_dir, tmp_path):
    async with EmbeddedPostgres(data_dir):
        pass
    (tmp_path / "precious").write_text("precious")
    for name in ("pg_hba", "pg_ident"):
        (data_dir / "postgres" / f"{name}.conf").write_text("to be written anew")
        (data_dir / "postgres" / f"{name}.new").symlink_to(tmp_path / "precious")
    async with EmbeddedPostgres(data_dir) as server:
        await (await asyncpg.connect(server.dsn)).close()
    assert (tmp_path / "precious").read_text() == "precious"


async def test_its_log_quotes_no_row(data_dir):
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table medic (phone text unique, at_ms int)")
        await connection.execute("insert into medic values ('+31612345678', 1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("insert into medic values ($1, 1)", "+31612345678")
        with pytest.raises(asyncpg.NumericValueOutOfRangeError):
            await connection.execute("select phone::int from medic")
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute("select from where '+31612345678'")
        await connection.close()
    log = (data_dir / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "612345678" not in log


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def socket_of(server: EmbeddedPostgres) -> Path:
    folder = server.dsn.partition("host=")[2].partition("&")[0].replace("%2F", "/")
    return Path(folder) / ".s.PGSQL.5432"


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """This process as another user: files and sockets take it for that one."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
