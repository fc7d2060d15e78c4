"""SQL as source: each statement has a name and a sentence, in a file of ``queries/`` for each module."""

import logging
from pathlib import Path
from typing import TypeAlias

import aiosql
import asyncpg

# It warns on stderr of each statement whose mark it would like otherwise; we use the loaded text alone.
logging.getLogger("aiosql").setLevel(logging.ERROR)

QUERIES = Path(__file__).parent / "queries"

Database: TypeAlias = asyncpg.Pool | asyncpg.Connection
"""What a statement runs on: a pool, or one connection where several belong to one transaction."""


def statements(subject: str) -> dict[str, str]:
    """The statements of ``queries/{subject}.sql`` by name; their parameters are positional (``$1``)."""
    loaded = aiosql.from_path(QUERIES / f"{subject}.sql", "asyncpg", mandatory_parameters=False)
    names = (name for name in loaded.available_queries if not name.endswith("_cursor"))
    return {name: getattr(loaded, name).sql for name in names}
