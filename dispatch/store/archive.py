"""A backup as one file: a ZIP with a CSV a table and a manifest, whole or not there at all.

The manifest comes last and holds the digest of every table, so that a file cut short or damaged is known for
one before a row of it is used. Any tool that reads ZIP and CSV can look into it. It holds personal data: its
owner alone may read it.
"""

import hashlib
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeAlias

import msgspec

FORMAT = "responder-alert-dispatch backup 1"
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 18
Write: TypeAlias = Callable[[bytes], None]


class UnusableBackup(Exception):
    """A file that can not be restored, or written; the text says why in one line."""


class Table(msgspec.Struct, frozen=True):
    """``sha256`` is that of its CSV."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """``tables`` in an order in which each finds what it refers to. ``at``: ms, of the moment it shows."""

    revision: str
    at: int
    program: str
    tables: tuple[Table, ...]
    format: str = FORMAT

    def rows(self, table: str) -> int:
        return next((one.rows for one in self.tables if one.name == table), 0)


class Member:
    """One table on its way into the archive."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Writer:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def member(self, table: str) -> Iterator[Member]:
        with self._archive.open(f"{table}.csv", "w", force_zip64=True) as file:
            yield Member(file)

    def finish(self, manifest: Manifest) -> None:
        """Nothing may follow."""
        self._archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """The file is there once all of it is on the disk; after an error, nothing of it.

    Raises UnusableBackup where there is one already, OSError where it can not be written.
    """
    if path.exists():
        raise UnusableBackup(f"{path}: is there already; backups are not written over")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    fd = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Reader:
    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def chunks(self, table: Table) -> Iterator[bytes]:
        """Its CSV, with the header."""
        with self._archive.open(f"{table.name}.csv") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """The archive, every byte of it checked. Raises UnusableBackup."""
    with ExitStack() as stack:
        yield _checked(path, stack)


_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, RuntimeError, ValueError)
"""What reading a ZIP may end in. One wrong byte can also ask for a password or for another compression."""


def _checked(path: Path, stack: ExitStack) -> Reader:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
        reader = Reader(archive, _manifest(path, archive))
        for table in reader.manifest.tables:
            _check(path, reader, table)
        return reader
    except _DAMAGED as error:
        raise UnusableBackup(f"{path}: is no backup, or damaged ({error})") from None
    except OSError as error:
        raise UnusableBackup(f"{path}: can not be read ({error.strerror or error})") from None


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except msgspec.MsgspecError:
        raise UnusableBackup(f"{path}: its manifest can not be read") from None
    if manifest.format != FORMAT:
        raise UnusableBackup(f"{path}: is of the format {manifest.format!r}; this program reads {FORMAT!r}")
    return manifest


def _check(path: Path, reader: Reader, table: Table) -> None:
    digest = hashlib.sha256()
    for chunk in reader.chunks(table):
        digest.update(chunk)
    if digest.hexdigest() != table.sha256:
        raise UnusableBackup(f"{path}: damaged: {table.name} is not what was written")
