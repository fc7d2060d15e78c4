"""Logs: one JSON object a line on stderr, with the incident's id on every line that concerns one.

No personal data: fields that could hold some are struck out by name, phone numbers, tokens and coordinates by
shape, and an exception is told by its class and where it came from, not by its text, which may quote a row.
Libraries that log through the standard library come out the same way.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

import asyncpg
import structlog

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

Line = MutableMapping[str, Any]


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends structlog and the standard library to ``stream`` (stderr) as JSON lines. May be called again."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _told_exception,
            strike_out,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(name: str) -> Any:
    """A structlog logger: ``log.info("what happened", incident_id=...)``."""
    return structlog.stdlib.get_logger(name)


@contextmanager
def about(incident_id: str) -> Iterator[None]:
    """Every line within concerns this incident, those of libraries too."""
    with structlog.contextvars.bound_contextvars(incident_id=incident_id):
        yield


def strike_out(_logger: object, _method: str, line: Line) -> Line:
    """The structlog processor that keeps personal data and secrets out."""
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


def _told_exception(_logger: object, _method: str, line: Line) -> Line:
    """Class and places of an exception; of its text only what is known to hold nobody's data."""
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["error"] = describe(error)
        line["frames"] = _frames(error.__traceback__)
    line.pop("stack_info", None)
    return line


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
