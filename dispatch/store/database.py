"""The way to the database: a pool of connections that commit durably, and the schema brought up to date."""

from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x6469_7370_6174_6368  # "dispatch": the advisory lock that only a migrating node holds
MIGRATION_WAIT_S_MAX = 300
CONNECT_S_MAX = 10.0
COMMAND_S_MAX = 30.0
ACQUIRE_S_MAX = 10.0
RELEASE_S_MAX = 2.0

# What a connection of ours asks of the server, whatever is the default there; as it tells it back.
SESSION = {
    "application_name": "dispatch",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "1min",
}
_NAMED_BY_POOLERS = "application_name"
_ENCODINGS = ("UTF8", "SQL_ASCII")
"""Those that take every letter; SQL_ASCII takes UTF-8 for what it is, bytes."""
_WHAT_IT_IS = """
select
    current_setting('fsync') as fsync, getdatabaseencoding() as encoding,
    array(
        select current_setting(name) from unnest($1::text[]) with ordinality a (name, nth) order by nth
    ) as session
"""


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

    Raises DatabaseRefused for a server that does not keep what it has committed or a database that can not
    take every text, and OSError or asyncpg.PostgresError for one that cannot be reached.
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
        init=_ensure_usable,
    )


async def connect_to_listen(dsn: str) -> asyncpg.Connection:
    """A connection of one's own. Raises what ``connect_pool`` raises."""
    settings = SESSION | {"application_name": "dispatch bus"}
    return await asyncpg.connect(
        dsn, timeout=CONNECT_S_MAX, command_timeout=COMMAND_S_MAX, server_settings=settings
    )


async def _ensure_usable(connection: asyncpg.Connection) -> None:
    asked = {name: value for name, value in SESSION.items() if name != _NAMED_BY_POOLERS}
    found = await connection.fetchrow(_WHAT_IT_IS, list(asked))
    if found["fsync"] != "on":
        raise DatabaseRefused(
            "the database server runs with fsync off and would lose acknowledged incidents",
            "Set fsync = on in its configuration.",
        )
    if found["encoding"] not in _ENCODINGS:
        raise DatabaseRefused(
            f"the database's encoding, {found['encoding']}, has no place for most of the world's letters",
            "Make one with `create database NAME encoding 'UTF8' template template0`.",
        )
    for (name, value), instead in zip(asked.items(), found["session"], strict=True):
        if instead != value:
            raise DatabaseRefused(
                f"{name} is {instead} where a connection asked for {value}: a pooler does not pass that on",
                "Name the server itself in DISPATCH_DATABASE_URL.",
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
    if to == "head":
        revision = await _revision(dsn)
        if revision is not None and revision == newest_revision(migrations):
            return revision, revision
    # Here, as nearly every start has nothing to do, and alembic takes a third of all the time of importing.
    from dispatch.store.migrating import migrate

    return await migrate(lambda: _connect_to_migrate(dsn), migrations, to)


def newest_revision(migrations: Path) -> str | None:
    """By the names of the files, each of which begins with its revision; None where there are none."""
    return max((file.stem.partition("_")[0] for file in (migrations / "versions").glob("*.py")), default=None)


async def _revision(dsn: str) -> str | None:
    """What the database is at, None where it has no schema. Raises what the database raises."""
    connection = await _connect(dsn, SESSION)
    try:
        sql = "select version_num from alembic_version"
        revision: str | None = await connection.fetchval(sql, timeout=COMMAND_S_MAX)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


async def _connect(dsn: str, settings: dict[str, str]) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_S_MAX, server_settings=settings)
    except OSError as error:  # "no such file": of a socket that nobody named
        raise ConnectionError(f"no connection to its server ({error.strerror or error})") from error


async def _connect_to_migrate(dsn: str) -> asyncpg.Connection:
    """A connection that holds the migration lock until it is closed."""
    settings = {
        **SESSION,
        "application_name": "dispatch migration",
        "statement_timeout": "0",
        "lock_timeout": f"{MIGRATION_WAIT_S_MAX}s",
    }
    connection = await _connect(dsn, settings)
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
