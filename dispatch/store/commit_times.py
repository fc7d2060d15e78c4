"""How long commits of decisions take: a slow database shows here before it shows on a phone."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dispatch.check import Check

RECENT_S = 60.0
KEPT_MAX = 1000
SLOW_S = 0.5
UNDER_WAY_S_MAX = 2.0
HINT = "The database is slow or waits for a lock: see its log, its disk, and pg_stat_activity."


class CommitTimes:
    """``on_commit`` is told the seconds of each."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque(maxlen=KEPT_MAX)
        self._since: float | None = None
        self.on_commit: Callable[[float], None] = lambda _: None

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Around a commit; one that is refused is not counted, but one that is given up after long is."""
        now = asyncio.get_running_loop().time
        began = self._since = now()
        try:
            yield
        except BaseException:
            if now() - began > UNDER_WAY_S_MAX:
                self._took(now(), now() - began)
            raise
        else:
            self._took(now(), now() - began)
        finally:
            self._since = None

    def _took(self, at: float, seconds: float) -> None:
        self._recent.append((at, seconds))
        self.on_commit(seconds)

    def p99_s(self) -> float:
        """Of the last minute's; 0 where there were none."""
        since = asyncio.get_running_loop().time() - RECENT_S
        took = sorted(seconds for at, seconds in self._recent if at > since)
        return took[(99 * (len(took) - 1) + 99) // 100] if took else 0.0

    def check(self) -> Check:
        """A slow database is told, and not needed: it goes on working."""
        if self._since is not None:
            under_way_s = asyncio.get_running_loop().time() - self._since
            if under_way_s > UNDER_WAY_S_MAX:
                return Check(
                    "commits", False, f"one is under way for {under_way_s:.1f} s", HINT, needed=False
                )
        p99_s = self.p99_s()
        ok = p99_s < SLOW_S
        detail = f"p99 of the last minute {1000 * p99_s:.0f} ms"
        return Check("commits", ok, detail, "" if ok else HINT, needed=False)
