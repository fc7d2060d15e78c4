"""How often each may ask: a bucket of tries for every phone, address, key or device."""

import time
from collections.abc import Callable


class Throttle:
    """A bucket for each key that holds ``burst`` tries and gains one every ``each_s``. Bounded: the longest
    untouched bucket is forgotten first.
    """

    def __init__(
        self,
        burst: int,
        each_s: float,
        *,
        keys_max: int = 20_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._each_s = each_s
        self._keys_max = keys_max
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}  # tries left, as of when

    def wait_s(self, key: str) -> float:
        """Takes a try; 0, or how long to wait when there is none."""
        now = self._monotonic()
        left, since = self._buckets.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) / self._each_s)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now)
        if len(self._buckets) > self._keys_max:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if taken else (1 - left) * self._each_s
