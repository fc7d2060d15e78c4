"""What the service logs while it is simulated: nothing is written, and an error is a violation."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dispatch.logs import FIELDS
from tests.simulator.loop import current_life


@contextmanager
def quiet(on_error: Callable[[str], None]) -> Iterator[None]:
    """``on_error`` is told of every line at level error or worse."""
    ours = logging.getLogger("dispatch")
    ours.addHandler(ears := _Ears(on_error))
    ours.propagate = False
    try:
        yield
    finally:
        ours.propagate = True
        ours.removeHandler(ears)


class _Ears(logging.Handler):
    def __init__(self, on_error: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._on_error = on_error

    def emit(self, record: logging.LogRecord) -> None:
        life = current_life()
        fields = {"event": record.getMessage(), **getattr(record, FIELDS, {})}
        about = " ".join(f"{key}={value}" for key, value in fields.items())
        self._on_error(f"an error is logged at {life.name if life else 'nowhere'}: {about}")
