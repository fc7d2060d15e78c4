"""The schema migrated, by alembic. Imported only where there is something to do: see `database.upgrade`."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dispatch.store import database
from dispatch.store.database import DatabaseRefused

TAKE_MS_MAX = 500
"""How long one try to have all tables may wait, and with it who asks for one meanwhile: less than a lease."""
PAUSE_S = 2.0

_TAKEN = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
_TABLES = """
select string_agg(quote_ident(relname), ', ' order by relname) from pg_class
where relkind = 'r' and relnamespace = current_schema()::regnamespace and pg_has_role(relowner, 'usage')
"""


async def migrate(
    connect: Callable[[], Awaitable[asyncpg.Connection]], migrations: Path, to: str
) -> tuple[str | None, str | None]:
    """As `database.upgrade`, over a connection that holds the migration lock until it is closed."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
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
        if before is not None:
            _take_all_tables(connection)
        command.upgrade(config, to)
    return before, after


def _take_all_tables(connection: Connection) -> None:
    """All or none: who waits for a table has all others wait behind him, and some read for an hour."""
    tables = connection.scalar(text(_TABLES))
    tries = 1 + int(database.MIGRATION_WAIT_S_MAX / (TAKE_MS_MAX / 1000 + PAUSE_S))
    for _ in range(tries):
        try:
            with connection.begin_nested():
                connection.execute(text(f"set local lock_timeout = {TAKE_MS_MAX}"))
                connection.execute(text(f"lock table {tables} in access exclusive mode"))
        except DBAPIError as error:
            if not isinstance(_asyncpgs_own(error), _TAKEN):
                raise
            connection.execute(text(f"select pg_sleep({PAUSE_S})"))
        else:
            return
    raise DatabaseRefused(
        f"other transactions have held the database's tables for {database.MIGRATION_WAIT_S_MAX} s",
        "A migration needs them alone for a moment: wait for the oldest in pg_stat_activity, or end it.",
    )


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
