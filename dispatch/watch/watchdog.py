"""Silence is an alarm: every few minutes a drill goes to a test device, and it has to come back.

Each node holds its own. What broke, and what to do, shows on /readyz; the figures are in /metrics.
"""

import asyncio
from collections.abc import Callable

from dispatch import logs
from dispatch.check import Check
from dispatch.clock import Clock
from dispatch.metrics import Metrics
from dispatch.watch.drill import Drills, Outcome

log = logs.logger(__name__)

NAME = "watchdog"
FIRST_S = 6.0
"""After the start: the grace for devices to come back has passed by then."""
AGAIN_S = 15.0
"""After a drill that did not come back: it is looked at again before the next is due."""
SPARE_S = 30.0
"""What a drill may take beside the waiting, before the watchdog itself counts as standing still."""
OFF = Check(
    NAME, True, "off: no drill shows that alerts arrive; set DISPATCH_WATCHDOG_MEDIC for it", needed=False
)


class Watchdog:
    """``paused``: why there is no drill at present, or None."""

    def __init__(
        self,
        drills: Drills,
        metrics: Metrics,
        clock: Clock,
        *,
        interval_s: int,
        paused: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._drills, self._metrics, self._clock = drills, metrics, clock
        self._interval_s = interval_s
        self._paused = paused
        self._last: Outcome | None = None
        self._turned_at = self._started_at = clock.now_ms()
        self._succeeded_at: int | None = None
        metrics.gauge(
            "watchdog_ok", "1: the last drill came back; 0: it did not.", lambda: float(self.check().ok)
        )
        metrics.gauge(
            "watchdog_success_age_seconds", "Since a drill came back, or since the start.", self._age_s
        )

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(FIRST_S)
        while True:
            self._turned_at = self._clock.now_ms()
            came_back = await self._turn()
            await asyncio.sleep(self._interval_s if came_back else min(self._interval_s, AGAIN_S))

    def check(self) -> Check:
        """The last drill. Needed: a node whose alerts do not arrive does nothing that counts."""
        if (why := self._paused()) is not None:
            return Check(NAME, True, f"no drill now: {why}")
        still_s = (self._clock.now_ms() - self._turned_at) / 1000
        if still_s > FIRST_S + self._interval_s + self._drills.wait_s + SPARE_S:
            hint = "The database hangs, or this node: see the other checks, then restart it."
            return Check(NAME, False, f"no drill has ended for {still_s:.0f} s", hint)
        if self._last is None:
            return Check(NAME, True, f"the first drill comes {FIRST_S:.0f} s after the start")
        age = "" if self._last.ok else self._since()
        return Check(NAME, self._last.ok, self._last.detail + age, self._last.hint)

    async def _turn(self) -> bool:
        """What was left open is closed, and a drill held; False where it did not come back."""
        if self._paused() is not None:
            return True
        try:
            stuck = await self._drills.end_stuck()
            self._metrics.watchdog_drills.labels("stuck").inc(stuck)
            outcome = await self._drills.one()
        except Exception as error:
            hint = "See the database's check, and the log."
            outcome = Outcome("failed", f"a drill failed: {logs.describe(error)}", hint)
        self._note(outcome)
        return outcome.ok

    def _note(self, outcome: Outcome) -> None:
        self._metrics.watchdog_drills.labels(outcome.result).inc()
        if outcome.ok and outcome.seconds is not None:
            self._metrics.watchdog_s.observe(outcome.seconds)
            self._succeeded_at = self._clock.now_ms()
        if not outcome.ok:
            log.error("watchdog", detail=outcome.detail, hint=outcome.hint)
        elif self._last is not None and not self._last.ok:
            log.info("watchdog", detail=outcome.detail)
        self._last = outcome

    def _since(self) -> str:
        if self._succeeded_at is None:
            return f"; none has come back since the start {self._age_s():.0f} s ago"
        return f"; the last to come back was {self._age_s():.0f} s ago"

    def _age_s(self) -> float:
        since = self._started_at if self._succeeded_at is None else self._succeeded_at
        return (self._clock.now_ms() - since) / 1000
