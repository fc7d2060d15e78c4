"""When each incident in memory is next owed a decision: one timer an incident, on the event loop."""

import asyncio
from collections.abc import Callable, Iterable

from dispatch.clock import Clock
from dispatch.deciding.live import Live


class Ticks:
    """``tick`` is called for an incident of ``ours`` whose time has come, by the database's clock."""

    def __init__(
        self, clock: Clock, tick: Callable[[Live], None], ours: Callable[[Live], bool] = lambda _: True
    ) -> None:
        self._clock = clock
        self._tick = tick
        self._ours = ours
        self._stopped = False

    def set(self, live: Live, *, wait_s_min: float = 0.0) -> None:
        """The incident's timer, as its record now wants it; ``wait_s_min``: not before that."""
        if live.timer is not None:
            live.timer.cancel()
            live.timer = None
        record = live.record
        if record is None or record.due_at is None or self._stopped or not self._ours(live):
            return
        wait_s = max(wait_s_min, (record.due_at - self._clock.now_ms()) / 1000)
        live.timer = asyncio.get_running_loop().call_later(wait_s, self._due, live)

    def stop(self, lives: Iterable[Live]) -> None:
        """No timer goes off any more."""
        self._stopped = True
        for live in lives:
            if live.timer is not None:
                live.timer.cancel()
                live.timer = None

    def all_due(self, lives: Iterable[Live]) -> None:
        """The clock was moved: what its time has come for does not wait for its timer."""
        for live in lives:
            if live.timer is not None:
                live.timer.cancel()
                self._due(live)

    def late_ms(self, lives: Iterable[Live]) -> int:
        """How late the most overdue of them is."""
        now = self._clock.now_ms()
        ours = [live.record for live in lives if live.record is not None and self._ours(live)]
        due = [record.due_at for record in ours if record.due_at is not None]
        return max(0, now - min(due, default=now))

    def _due(self, live: Live) -> None:
        """Due, or by the database's clock not quite: then a moment later."""
        live.timer = None
        record = live.record
        if record is None or record.due_at is None or not self._ours(live):
            return
        if record.due_at > self._clock.now_ms():
            self.set(live)
        else:
            self._tick(live)
