"""Times at the edge: RFC 3339 in UTC with a ``Z`` and milliseconds; inside, epoch milliseconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@lru_cache(1024)
def rfc3339(at_ms: int) -> str:
    """``2026-11-24T11:58:24.123Z``. An incident has the same few times again and again."""
    text = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


def rfc3339_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of a moment with a time zone; what is finer is cut off."""
    return (moment - _EPOCH) // _MS
