"""The schema migrated, by alembic. Imported only where there is something to do: see `database.upgrade`."""

from collections.abc import Awaitable, Callable
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

from dispatch.store.database import DatabaseRefused


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
