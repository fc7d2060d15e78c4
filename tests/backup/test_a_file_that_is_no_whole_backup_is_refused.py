"""Cut short, damaged, of another kind, of a newer release: told in one line, and nothing was restored."""

import json
import shutil
import zipfile
from pathlib import Path

import asyncpg
import pytest

from dispatch.store import archive
from dispatch.store.archive import Manifest, Table, UnusableBackup
from dispatch.store.backup import backup, restore
from tests.dispatcher.town import some_medics


@pytest.fixture
async def whole(start_town, database_url: str, tmp_path: Path) -> Path:
    town = await start_town()
    await town.add(some_medics(20), connected=False)
    await town.report()
    path = tmp_path / "whole"
    await backup(database_url, path)
    return path


async def ensure_refused(dsn: str, path: Path, told: str) -> None:
    with pytest.raises(UnusableBackup, match=told) as refusal:
        await restore(dsn, path)
    assert "\n" not in str(refusal.value)
    connection = await asyncpg.connect(dsn)
    tables = await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_cut_short_anywhere(whole: Path, empty_database: str, tmp_path: Path) -> None:
    content = whole.read_bytes()
    for share in (0, 0.01, 0.3, 0.7, 0.95):
        cut = tmp_path / f"cut-{share}"
        cut.write_bytes(content[: int(len(content) * share)])
        await ensure_refused(empty_database, cut, "is no backup, or damaged")
    cut.write_bytes(content[:-1])
    await ensure_refused(empty_database, cut, "is no backup, or damaged")


async def test_a_byte_changed_anywhere(whole: Path, empty_database: str, tmp_path: Path) -> None:
    content = whole.read_bytes()
    with zipfile.ZipFile(whole) as opened:
        where = {one.filename: one.header_offset + 60 + len(one.filename) for one in opened.infolist()}
    for table in ("medic.csv", "decision.csv", "manifest.json"):
        at = where[table]
        changed = tmp_path / f"changed-{table}"
        changed.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        await ensure_refused(empty_database, changed, "changed-")


def test_any_byte_changed_is_found_or_changes_no_row(tmp_path: Path) -> None:
    """Those of ZIP's own headers too, by which a file may look encrypted, or compressed by another method."""
    rows = b"id,x\n" + b"".join(b"%d,abc\n" % n for n in range(50))
    whole, changed = tmp_path / "small", tmp_path / "changed"
    with archive.writing(whole) as writer:
        with writer.member("medic") as member:
            member.write(rows)
        writer.finish(Manifest("0004", 1, "1.0", (Table("medic", ("id", "x"), 50, member.sha256),)))
    content = whole.read_bytes()
    refused = 0
    for at in range(len(content)):
        for mask in (0x01, 0x04, 0x06, 0x80, 0xFF):
            changed.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
            try:
                with archive.reading(changed) as reader:
                    (table,) = reader.manifest.tables
                    assert b"".join(reader.chunks(table)) == rows
            except UnusableBackup:
                refused += 1
    assert refused > 2 * len(content)


async def test_a_table_of_another_backup_slipped_in(whole: Path, empty_database: str, tmp_path: Path) -> None:
    """A whole ZIP, every CRC right, and not what was written."""
    mixed = tmp_path / "mixed"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(mixed, "w") as new:
        for one in old.infolist():
            data = old.read(one)
            new.writestr(one.filename, data[:-1] + b"!" if one.filename == "incident.csv" else data)
    await ensure_refused(empty_database, mixed, "incident is not what was written")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"revision": "9999"}, "was made by a newer release"),
        ({"format": "responder-alert-dispatch backup 2"}, "is of the format"),
        ({"tables": 5}, "manifest can not be read"),
    ],
)
async def test_another_manifest(
    whole: Path, empty_database: str, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    other = tmp_path / "other"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(other, "w") as new:
        for one in old.infolist():
            data = old.read(one)
            if one.filename == "manifest.json":
                data = json.dumps({**json.loads(data), **change}).encode()
            new.writestr(one.filename, data)
    await ensure_refused(empty_database, other, told)


async def test_no_file_and_no_zip(empty_database: str, tmp_path: Path) -> None:
    await ensure_refused(empty_database, tmp_path / "nothing", "can not be read")
    text = tmp_path / "text"
    text.write_text("-- PostgreSQL database dump\n" * 100)
    await ensure_refused(empty_database, text, "is no backup, or damaged")
    await ensure_refused(empty_database, tmp_path, "can not be read")


async def test_a_zip_of_something_else(empty_database: str, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "other"), "zip", Path(__file__).parent, Path(__file__).name)
    await ensure_refused(empty_database, tmp_path / "other.zip", "is no backup, or damaged")
