"""What the commands share: the data dir, the database behind it, and errors in one line with an exit code."""

import asyncio
import functools
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from dispatch import garbage

FAILED, WRONG_USE = 1, 2
P = ParamSpec("P")
R = TypeVar("R")


def _default_data_dir() -> str:
    from dispatch.settings import default_data_dir

    return str(default_data_dir())


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=_default_data_dir,
    help="Where the embedded Postgres lives. Default: responder-alert-dispatch in the user's data folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class NoDatabase(ValueError):
    """A data dir without one, where a command only reads: mistyped, most likely."""


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Errors that an operator can mend: one line on stderr, exit 1 (failed) or 2 (wrong use)."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        try:
            command(*args, **options)
        except BrokenPipeError:
            # Whoever read stdout has gone (`| head`): nothing more to say, and nothing to flush at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except click.ClickException:
            raise
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            click.echo(f"dispatch: {told(error)}", err=True)
            sys.exit(code)

    return run


def exit_code(error: Exception) -> int | None:
    """None: a fault of ours, which shows itself whole."""
    if _is_wrong_use(error):
        return WRONG_USE
    return FAILED if _is_failure(error) else None


def _is_wrong_use(error: Exception) -> bool:
    """Found out before much is imported, and told as soon."""
    from dispatch.codes import CodesError
    from dispatch.core.policy import PolicyError
    from dispatch.listening import CanNotListen
    from dispatch.settings import SettingsError

    return isinstance(error, SettingsError | PolicyError | CodesError | CanNotListen | NoDatabase)


def _is_failure(error: Exception) -> bool:
    from dispatch.cli.medics_import import UnusableFile
    from dispatch.embedded_postgres import PostgresUnavailable
    from dispatch.store.archive import UnusableBackup
    from dispatch.store.database import DatabaseRefused
    from dispatch.store.trouble import DATABASE_TROUBLE

    ours = (UnusableFile, UnusableBackup, PostgresUnavailable, DatabaseRefused)
    return isinstance(error, (*ours, *DATABASE_TROUBLE, TimeoutError))


def told(error: Exception) -> str:
    if _is_wrong_use(error):
        return str(error)

    from dispatch.store.trouble import DRIVER_TROUBLE

    if isinstance(error, (*DRIVER_TROUBLE, ConnectionError)):
        return f"the database can not be used: {error or type(error).__name__}"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


@asynccontextmanager
async def server(data_dir: Path, *, make: bool = False) -> AsyncIterator[str]:
    """The DSN of the deployment's Postgres. An embedded one that does not run is started for as long.

    ``make``: where there is none it is made; else NoDatabase, and no folder.
    """
    from dispatch.embedded_postgres import is_made, postgres_at
    from dispatch.settings import read_settings

    settings = read_settings()
    garbage.started()  # what a command imports is there by now
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    if not (make or is_made(data_dir)):
        hint = "give the --data-dir (or DISPATCH_DATABASE_URL) that `serve` has"
        raise NoDatabase(f"there is no database in {data_dir}: {hint}")
    async with postgres_at(data_dir) as dsn:
        yield dsn


@asynccontextmanager
async def database(data_dir: Path, *, make: bool = False) -> AsyncIterator[Any]:
    """A pool on the deployment's database, its schema up to date. ``make``: as of ``server``."""
    from dispatch.store.database import connect_pool, upgrade

    async with server(data_dir, make=make) as dsn:
        await upgrade(dsn)
        pool = await connect_pool(dsn, min_size=1, max_size=2)
        try:
            yield pool
        finally:
            await pool.close()


def run(work: Coroutine[Any, Any, R]) -> R:
    """Runs a command's work; its logs are warnings, on stderr."""
    from dispatch import logs

    logs.set_up(level=logging.WARNING)
    return asyncio.run(work)


def to_json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
