"""Logs: one JSON object a line on stderr, with the incident's id on every line that concerns one.

No personal data: fields that could hold some are struck out by name, phone numbers, tokens and coordinates by
shape, and an exception is told by its class and where it came from, not by its text, which may quote a row.
Libraries that log through the standard library come out the same way.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import asyncpg

# Names under which personal data or a secret might be logged. What is found here is a slip: it is struck out.
PERSONAL = frozenset(
    {"name", "phone", "to", "from_", "address", "directions", "details", "text", "body", "skills"}
    | {"lat", "lon", "position", "place", "places", "accuracy_m"}
    | {"token", "code", "secret", "authorization", "password", "dsn", "database_url", "url", "query"}
)
STRUCK = "[struck out]"
# A phone number by E.164, or as people write one; our keys and tokens; a pair of coordinates.
_SHAPES = re.compile(
    r"\+\d[\d ()-]{6,}\d|\b0\d(?:[ -]?\d){8,}\b|\b\d{9,12}\b|\b[dD][kKtT]_[\w-]{8,}|Bearer \S+"
    r"|-?\d{1,3}\.\d{3,}\s*[,;/]\s*-?\d{1,3}\.\d{3,}|postgres(?:ql)?://\S+"
)
_QUIET = ("uvicorn", "twilio", "aiohttp", "asyncio", "alembic", "sqlalchemy", "websockets", "asyncpg")
_FRAMES_MAX = 8

_incident: ContextVar[str | None] = ContextVar("incident", default=None)


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends all logs to ``stream`` (stderr) as JSON lines. May be called again."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class Logger:
    """One of the standard library's that takes fields: ``log.info("what happened", incident_id=...)``.

    ``exc_info`` is an exception, or true for the one being handled.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, /, **fields: Any) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        self._log(logging.ERROR, event, fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """An error, with the exception that is being handled."""
        self._log(logging.ERROR, event, {"exc_info": True, **fields})

    def _log(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, exc_info=fields.pop("exc_info", None), extra={FIELDS: fields})


FIELDS = "fields"
"""Under which a record of ours has its fields."""


def logger(name: str) -> Logger:
    return Logger(name)


@contextmanager
def about(incident_id: str) -> Iterator[None]:
    """Every line within concerns this incident, those of libraries too."""
    before = _incident.set(incident_id)
    try:
        yield
    finally:
        _incident.reset(before)


class _JsonLine(logging.Formatter):
    """Anybody's record as one line, without what is nobody's business."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "event": record.getMessage(),
            **({} if (incident_id := _incident.get()) is None else {"incident_id": incident_id}),
            **getattr(record, FIELDS, {}),
            "logger": record.name,
            "level": record.levelname.lower(),
            "at": at.replace("+00:00", "Z"),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _told_exception(record.exc_info[1])
        return json.dumps(strike_out(line), ensure_ascii=False)


def strike_out(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line without personal data and secrets."""
    return {key: STRUCK if key in PERSONAL else _cleaned(value) for key, value in line.items()}


def _cleaned(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return _SHAPES.sub(STRUCK, value)
        case dict():
            return {str(k): STRUCK if k in PERSONAL else _cleaned(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(one) for one in value]
        case _:
            return f"<{type(value).__name__}>"  # its repr might tell anything


def _told_exception(error: BaseException) -> dict[str, Any]:
    """Class and places of an exception; of its text only what is known to hold nobody's data."""
    return {"error": describe(error), "frames": _frames(error.__traceback__)}


def describe(error: BaseException) -> str:
    """An exception in a few words without personal data.

    >>> describe(ValueError("+31612345678 is no phone"))
    'ValueError'
    """
    words = type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        constraint = getattr(error, "constraint_name", None)
        return f"{words} {error.sqlstate}" + (f" {constraint}" if constraint else "")
    if isinstance(error, OSError) and error.strerror:
        return f"{words}: {error.strerror}"
    return words


def _frames(trace: TracebackType | None) -> list[str]:
    """The innermost places, as ``file:line function``: code, which holds nobody's data."""
    frames = traceback.extract_tb(trace)[-_FRAMES_MAX:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]
