"""The schema, one revision a file in `versions/`. Run by `dispatch.store.database.upgrade`."""

from pathlib import Path
from typing import Any, cast

from alembic import op


def run_sql_file(path: Path) -> None:
    """Runs all statements of a `.sql` file in the revision's transaction. For use in a revision's `upgrade`.

    Handed to the driver as it is: no `:name` or `%` in it is taken for a parameter.
    """
    adapted = cast(Any, op.get_bind().connection.dbapi_connection)
    adapted.run_async(lambda connection: connection.execute(path.read_text(encoding="utf-8")))
