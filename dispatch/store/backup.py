"""Backup and restore of a deployment's database, embedded or by DSN, through a connection like any other.

A backup is one snapshot, taken while nodes write; a restore is one commit. Why not `pg_dump`: see
`docs/decisions/0004-a-backup-is-copied-by-us.md`.
"""

from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import asyncpg

from dispatch.store import archive, service
from dispatch.store.archive import Manifest, Reader, Table, UnusableBackup, Writer
from dispatch.store.database import SESSION, DatabaseRefused, upgrade
from dispatch.store.statements import statements

_SQL = statements("backup")

OF_A_LIFE = frozenset({"alembic_version", "bus", "news", "node", "service"})
"""Tables that tell of nodes while they run, or of the schema itself: a restored database has its own."""
KEPT = frozenset(
    {
        *("control_room", "api_key", "policy"),
        *("incident", "incident_details", "decision", "decision_input", "alert", "notification"),
        *("idempotency", "inbound_sms"),
        *("roster", "medic", "medic_gone", "medic_position", "device_token", "enrolment_code"),
    }
)
"""The others of the schema. What else an operator has in it is not ours to copy, and no restore makes it."""
SINGLETON = "one"
"""The column of tables of one row, which a migration puts there."""
CONNECT_S_MAX = 10.0
NOTHING = (
    "there is nothing to back up: the database has no schema, or one older than backups",
    "See --data-dir and DISPATCH_DATABASE_URL; `dispatch db upgrade` brings the schema up to date.",
)


async def backup(dsn: str, path: Path) -> Manifest:
    """Writes the database, as it is at one moment, to a new file. Nodes go on writing meanwhile.

    Raises UnusableBackup, DatabaseRefused, OSError and what the database raises.
    """
    connection = await _connect(dsn)
    try:
        with archive.writing(path) as writer:
            tables = await _tables(connection)
            if "service" not in tables:
                raise DatabaseRefused(*NOTHING)
            async with connection.transaction(isolation="repeatable_read"):
                # First of all, so that no migration comes between the moment that is shown and its reading.
                await connection.execute("lock table alembic_version in share mode")
                return await _write(connection, writer)
    finally:
        await connection.close()


async def restore(dsn: str, path: Path) -> Manifest:
    """Fills an empty database from a backup, paused, and brings its schema up to date.

    Raises UnusableBackup for a file that can not be restored and DatabaseRefused for a database that is not
    empty; nothing was changed then.
    """
    with archive.reading(path) as reader:
        connection = await _connect(dsn)
        try:
            await _ensure_room_for(connection, reader.manifest)
            try:
                await upgrade(dsn, to=reader.manifest.revision)
            except DatabaseRefused as refused:
                raise UnusableBackup(f"{path}: was made by a newer release ({refused.message})") from None
            async with connection.transaction():
                await _fill(connection, reader)
            await connection.execute("analyze")
        finally:
            await connection.close()
        await upgrade(dsn)
        return reader.manifest


async def _connect(dsn: str) -> asyncpg.Connection:
    """However long a table takes, and every digit of a number."""
    settings = {
        **SESSION,
        "extra_float_digits": "1",
        "application_name": "dispatch backup",
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    return await asyncpg.connect(dsn, timeout=CONNECT_S_MAX, server_settings=settings)


async def _write(connection: asyncpg.Connection, writer: Writer) -> Manifest:
    written = []
    for name, columns in (await _tables(connection)).items():
        if name not in KEPT:
            continue
        with writer.member(name) as member:

            async def write(data: bytes, to: archive.Write = member.write) -> None:
                to(data)

            told = await connection.copy_from_table(
                name, columns=columns, output=write, format="csv", header=True, encoding="utf-8"
            )
        written.append(Table(name, columns, int(told.split()[-1]), member.sha256))
    manifest = Manifest(
        revision=await connection.fetchval(_SQL["revision"]),
        at=await connection.fetchval(_SQL["now"]),
        program=version("responder-alert-dispatch"),
        tables=tuple(written),
    )
    writer.finish(manifest)
    return manifest


async def _tables(connection: asyncpg.Connection) -> dict[str, tuple[str, ...]]:
    """Their columns by their names, in an order in which they can be filled."""
    return {row["name"]: tuple(row["columns"]) for row in await connection.fetch(_SQL["tables"])}


async def _ensure_room_for(connection: asyncpg.Connection, manifest: Manifest) -> None:
    """The database has no tables, or those of the backup's revision without rows."""
    tables = await _tables(connection)
    if not tables:
        return
    await _ensure_empty(connection, tables)
    revision = await connection.fetchval(_SQL["revision"])
    if revision != manifest.revision:
        raise DatabaseRefused(
            f"the database's schema is of revision {revision}, the backup's of {manifest.revision}",
            "Restore into a database without tables; the schema is brought up to date then.",
        )


async def _ensure_empty(connection: asyncpg.Connection, tables: dict[str, tuple[str, ...]]) -> None:
    filled = [
        name
        for name, columns in tables.items()
        if SINGLETON not in columns
        and name != "alembic_version"
        and await connection.fetchval(f"select exists (select from {_quoted(name)})")  # noqa: S608 (our own tables)
    ]
    if filled or "alembic_version" not in tables:
        what = f"{filled[0]} has rows" if filled else "it has tables that are not ours"
        raise DatabaseRefused(
            f"the database is not empty ({what}), and a restore writes over nothing",
            "Restore into a new --data-dir, or into a database without tables.",
        )


async def _fill(connection: asyncpg.Connection, reader: Reader) -> None:
    """All of it, or nothing. Nobody writes meanwhile: a service that starts waits, then finds it paused."""
    tables = await _tables(connection)
    for name in tables:
        await connection.execute(f"lock table {_quoted(name)} in exclusive mode")
    await _ensure_empty(connection, tables)
    for table in reader.manifest.tables:
        if table.name not in KEPT:  # backups held them once
            continue
        if SINGLETON in table.columns:
            await connection.execute(f"delete from {_quoted(table.name)}")  # noqa: S608 (our own tables)
        told = await connection.copy_to_table(
            table.name,
            columns=table.columns,
            source=_read(reader, table),
            format="csv",
            header=True,
            encoding="utf-8",
        )
        if int(told.split()[-1]) != table.rows:
            raise UnusableBackup(f"{table.name}: {told} rows came in where {table.rows} were written")
    await connection.execute(_SQL["mark_attempted"])
    await service.pause(connection)


async def _read(reader: Reader, table: Table) -> AsyncIterator[bytes]:
    for chunk in reader.chunks(table):
        yield chunk


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
