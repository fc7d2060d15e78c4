"""The way to the database: a pool of connections that commit durably, and the schema brought up to date."""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x6469_7370_6174_6368  # "dispatch": the advisory lock that only a migrating node holds
MIGRATION_WAIT_S_MAX = 300
CONNECT_S_MAX = 10.0
COMMAND_S_MAX = 30.0
ACQUIRE_S_MAX = 10.0
RELEASE_S_MAX = 2.0

# What a connection of ours asks of the server, whatever is the default there.
SESSION = {
    "application_name": "dispatch",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


class DatabaseRefused(Exception):
    """This database is not one to work with. `message` says why in one line, `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint


class _Pool(asyncpg.Pool):  # type: ignore[misc]  # asyncpg has no types
    """Bounded also where the server is paused, or silently cut off, and confirms nothing.

    asyncpg waits without end for a free connection, and as long as a command may take for word that one which
    was given up is cancelled. Here that connection is thrown away.
    """

    def acquire(self, *, timeout: float | None = None) -> asyncpg.pool.PoolAcquireContext:
        return super().acquire(timeout=ACQUIRE_S_MAX if timeout is None else timeout)

    async def release(self, connection: object, *, timeout: float | None = None) -> None:
        await super().release(connection, timeout=RELEASE_S_MAX if timeout is None else timeout)


async def connect_pool(dsn: str, *, min_size: int = 2, max_size: int = 10) -> asyncpg.Pool:
    """A pool of connections whose commits are on disk when they return. JSON columns come and go as text.

    Raises DatabaseRefused for a server that does not keep what it has committed, and OSError or
    asyncpg.PostgresError for one that cannot be reached.
    """
    return await _Pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        timeout=CONNECT_S_MAX,
        command_timeout=COMMAND_S_MAX,
        server_settings=SESSION,
        init=_ensure_durable,
    )


async def connect_to_listen(dsn: str) -> asyncpg.Connection:
    """A connection of one's own. Raises what ``connect_pool`` raises."""
    settings = SESSION | {"application_name": "dispatch bus"}
    return await asyncpg.connect(
        dsn, timeout=CONNECT_S_MAX, command_timeout=COMMAND_S_MAX, server_settings=settings
    )


async def _ensure_durable(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("select current_setting('fsync')") != "on":
        raise DatabaseRefused(
            "the database server runs with fsync off and would lose acknowledged incidents",
            "Set fsync = on in its configuration.",
        )


async def upgrade(
    dsn: str, migrations: Path = MIGRATIONS, *, to: str = "head"
) -> tuple[str | None, str | None]:
    """Brings the schema up to date. Returns the revisions before and after, None for an empty database.

    ``to`` is the revision to bring it to, for a restore of what an older program wrote.

    All or nothing, and one node at a time: another that calls this meanwhile waits, then finds nothing to do.
    Raises DatabaseRefused for a database (or a ``to``) that is newer than this program, or one that others
    keep locked.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: _connect_to_migrate(dsn), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            before, after = await connection.run_sync(_migrate, migrations, to)
            await connection.commit()
    except DBAPIError as error:
        raise _asyncpgs_own(error) from error
    return before, after


def _asyncpgs_own(error: DBAPIError) -> BaseException:
    """What was wrong, without the layers of SQLAlchemy around it: callers know asyncpg's errors."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, asyncpg.PostgresError | asyncpg.InterfaceError):
        inner = inner.__cause__ or inner.__context__
    return inner or error


async def _connect_to_migrate(dsn: str) -> asyncpg.Connection:
    """A connection that holds the migration lock until it is closed."""
    settings = {
        **SESSION,
        "application_name": "dispatch migration",
        "statement_timeout": "0",
        "lock_timeout": f"{MIGRATION_WAIT_S_MAX}s",
    }
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_S_MAX, server_settings=settings)
    except OSError as error:  # "no such file": of a socket that nobody named
        raise ConnectionError(f"no connection to its server ({error.strerror or error})") from error
    try:
        await connection.execute("select pg_advisory_lock($1)", MIGRATION_LOCK)
    except BaseException as error:
        await connection.close()
        if isinstance(error, asyncpg.LockNotAvailableError):
            raise DatabaseRefused(
                f"another node has been migrating the database for {MIGRATION_WAIT_S_MAX} s",
                "See what it is doing in pg_stat_activity; end it there if it hangs.",
            ) from error
        raise
    return connection


def _migrate(connection: Connection, migrations: Path, to: str) -> tuple[str | None, str | None]:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    script = ScriptDirectory.from_config(config)
    context = MigrationContext.configure(connection)
    before = context.get_current_revision()
    after = script.get_current_head() if to == "head" else to
    for revision in (before, after):
        _refuse_if_newer(script, revision)
    if before != after:
        command.upgrade(config, to)
    return before, after


def _refuse_if_newer(script: ScriptDirectory, revision: str | None) -> None:
    if revision is None:
        return
    try:
        script.get_revision(revision)
    except CommandError as error:
        raise DatabaseRefused(
            f"the database is at revision {revision}, which this program does not know",
            "It was upgraded by a newer release: run that one.",
        ) from error
