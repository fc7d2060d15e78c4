"""The time that decides: Postgres' clock, carried on by this machine's monotonic one.

All nodes of a deployment read the same clock, and nobody setting a node's wall clock moves it.
"""

import time  # noqa: TID251 (how the clock is carried on; whoever makes one may give another)
from collections.abc import Callable
from typing import Any

ROUND_TRIPS = 5
"""As many are made for one reading; the quickest says the most."""

_NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"


class Clock:
    """Milliseconds since the epoch by the database's clock. It never runs back.

    Found ahead at a resync, it runs at half speed until the database has caught up: it neither stands still,
    which would stop every timer, nor says an earlier time than before. Behind, it is put forward at once.
    """

    def __init__(self, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._offset_ns: int | None = None
        # What it said when it was last found ahead.
        self._since_ns = 0
        self._said_ns = 0

    @classmethod
    async def synchronised(cls, pool: Any, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> "Clock":
        """A clock set by ``pool`` (asyncpg); raises what the database raises."""
        clock = cls(monotonic_ns)
        await clock.resync(pool)
        return clock

    def now_ms(self) -> int:
        """RuntimeError before the first `resync`."""
        return self._now_ns() // 1_000_000

    async def resync(self, pool: Any) -> None:
        """Reads the database's clock again. On an error, raised as it came, the clock runs on as before.

        The database read its clock some time between question and answer. Where this clock agrees with that
        there is nothing to correct; else the middle is taken.
        """
        earliest_ns, latest_ns = await self._offsets(pool)
        if self._offset_ns is None:
            self._offset_ns = (earliest_ns + latest_ns) // 2
        elif not earliest_ns <= self._offset_ns <= latest_ns:
            self._said_ns, self._since_ns = self._now_ns(), self._monotonic_ns()
            self._offset_ns = (earliest_ns + latest_ns) // 2

    async def _offsets(self, pool: Any) -> tuple[int, int]:
        """The least and the most that the database's clock is ahead of ours, by the quickest round trip."""
        async with pool.acquire() as connection:
            trips = [await self._trip(connection) for _ in range(ROUND_TRIPS)]
        return min(trips, key=lambda trip: trip[1] - trip[0])

    async def _trip(self, connection: Any) -> tuple[int, int]:
        asked_ns = self._monotonic_ns()
        there_ns = 1000 * await connection.fetchval(_NOW)
        return there_ns - self._monotonic_ns(), there_ns - asked_ns

    def _now_ns(self) -> int:
        if self._offset_ns is None:
            raise RuntimeError("the clock has not been set by the database yet")
        now_ns = self._monotonic_ns()
        slowed_ns = self._said_ns + (now_ns - self._since_ns) // 2
        return max(now_ns + self._offset_ns, slowed_ns)
