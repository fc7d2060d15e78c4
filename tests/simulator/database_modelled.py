"""How a statement is told to the model: by the name it has in ``queries/``, or by its own text."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from dispatch.store.statements import statements
from tests.simulator.database_records import record

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

Run = Callable[..., Iterable[Any]]
"""Of the database and the statement's parameters makes its rows; may write the database's tables."""


class Statement(msgspec.Struct, frozen=True):
    """``run`` gives the rows' values, ``record`` makes a row of them."""

    run: Run
    record: Callable[[Iterable[Any]], Any]


MODELLED: dict[str, Statement] = {}
"""By SQL text."""


def modelled(subject: str, name: str, columns: str = "") -> Callable[[Run], Run]:
    """Marks what does as the statement ``name`` of ``queries/{subject}.sql``; ``columns`` of its rows."""
    return inline(statements(subject)[name], columns)


def inline(sql: str, columns: str = "") -> Callable[[Run], Run]:
    """Marks what does as a statement whose text stands in the code."""

    def mark(run: Run) -> Run:
        assert sql not in MODELLED, sql
        MODELLED[sql] = Statement(run, record(columns.split()))
        return run

    return mark


def nothing(_database: "ModelDatabase", *_: Any) -> tuple[()]:
    """For what changes nothing that the model has."""
    return ()
