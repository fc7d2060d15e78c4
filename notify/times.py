"""A time as clients are told it, in answers and in frames: RFC 3339 in UTC, milliseconds, a ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(1024)
def rfc3339(at_ms: int) -> str:
    """``2026-11-24T11:58:24.123Z``. An incident, and a wave, has the same few times again and again."""
    text = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"
