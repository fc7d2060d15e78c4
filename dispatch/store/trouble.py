"""What a read raises where the database can not be asked at present."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from dispatch.store.appends import Unavailable

DRIVER_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""InternalClientError: a server's last word on an idle connection leaves asyncpg's state machine upset."""
DATABASE_TROUBLE = (OSError, *DRIVER_TROUBLE)


@contextmanager
def unavailable_in_trouble() -> Iterator[None]:
    """Where the database can not be asked, what it was asked for is Unavailable."""
    try:
        yield
    except DATABASE_TROUBLE as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error
