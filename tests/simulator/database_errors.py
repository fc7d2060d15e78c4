"""What Postgres refuses, as asyncpg raises it."""

from typing import Any

import asyncpg


def error(sqlstate: str, message: str, *, detail: str | None = None, constraint: str | None = None) -> Any:
    """asyncpg's exception for a SQLSTATE (PostgreSQL documentation, Appendix A), its fields set."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": message, "D": detail, "n": constraint}
    return asyncpg.exceptions.PostgresError.new(
        {key: text for key, text in fields.items() if text is not None}
    )


def unique(constraint: str) -> Any:
    return error(
        "23505", f'duplicate key value violates unique constraint "{constraint}"', constraint=constraint
    )


def check(table: str, constraint: str) -> Any:
    message = f'new row for relation "{table}" violates check constraint "{constraint}"'
    return error("23514", message, constraint=constraint)


def not_null(table: str, column: str) -> Any:
    return error(
        "23502", f'null value in column "{column}" of relation "{table}" violates not-null constraint'
    )


class NotModelled(BaseException):
    """The model does not know what it was asked.

    No Exception: code that lives on whatever a database may raise must not live on this mistake of ours.
    """
