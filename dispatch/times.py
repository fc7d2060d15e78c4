"""Times at the edge: RFC 3339 there; inside, epoch milliseconds."""

from datetime import UTC, datetime, timedelta

from notify.times import rfc3339

__all__ = ["rfc3339", "rfc3339_or_none", "to_ms"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def rfc3339_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of a moment with a time zone; what is finer is cut off."""
    return (moment - _EPOCH) // _MS
