"""What the service logs while it is simulated: nothing is written, and an error is a violation."""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from tests.simulator.loop import current_life


@contextmanager
def quiet(on_error: Callable[[str], None]) -> Iterator[None]:
    """``on_error`` is told of every line at level error or worse."""
    before = structlog.get_config()

    def take(_logger: object, method: str, line: MutableMapping[str, Any]) -> NoReturn:
        if method in ("error", "exception", "critical"):
            life = current_life()
            about = " ".join(f"{key}={value}" for key, value in line.items())
            on_error(f"an error is logged at {life.name if life else 'nowhere'}: {about}")
        raise structlog.DropEvent

    structlog.configure(
        processors=[take],
        wrapper_class=structlog.BoundLogger,
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
