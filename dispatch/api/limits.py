"""How much at once: requests in flight on this node, and tries for each phone or address."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from dispatch.api.problem import retry_later

IN_FLIGHT_MAX = 512
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Answered however much is going on: whoever watches must see it."""


class InFlight:
    """Plain ASGI around the routes: at most ``most`` requests at once, the rest get 503 at once.

    A feed counts for as long as it is followed, so it has a bound of its own and is left out here.
    """

    def __init__(self, app: ASGIApp, most: int = IN_FLIGHT_MAX, unbounded: frozenset[str] = ALWAYS) -> None:
        self._app = app
        self._most = most
        self._unbounded = unbounded
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._unbounded:
            await self._app(scope, receive, send)
            return
        if self.count >= self._most:
            await retry_later("unavailable", 1, "Too much at once.").response()(scope, receive, send)
            return
        self.count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.count -= 1


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
