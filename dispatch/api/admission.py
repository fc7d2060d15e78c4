"""Who goes first when more comes than can be handled: incidents before answers, answers before the rest.

A node is as full as the fullest of what it bounds: requests under way, and orders waiting for their commit.
It is behind by how long whatever is ready waits in its loop, or by how long it takes to decide all that
waits for its turn, which counts twice where it lasts (`lag.py`). Each class of work is taken up to a share of
the one, and while the node is not behind by more than that class bears; the rest is refused at once, with 503
and ``Retry-After``, and whoever asked tries again. Of reports a few are refused before they all are. What was
taken is done in time for that: a report that is refused costs next to nothing, one that is taken some twenty
decisions more. What control rooms do with the incidents that there are is refused last.

An answer over a socket is not refused but waits, unread (see `socket.py`): to refuse it costs as much as to
take it, and it comes again.
"""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol, TypeAlias

from dispatch.api.problem import Problem, retry_later
from dispatch.deciding.backlog import Backlog
from dispatch.metrics import Metrics

Work: TypeAlias = Literal["change", "incident", "answer", "read", "position"]
"""``change``: what control rooms do with their incidents. ``incident``: what they report. ``answer``: what
medics say, what providers bring, and what a device asks that came back. ``read``: all else."""

IN_FLIGHT_MAX = 512


class Share(NamedTuple):
    """How full the node may be, and how far behind, for one class of work.

    Behind by ``behind_s`` nothing is taken. Where it lasts, less and less is from ``some_s`` on: what is
    taken now is work for the next seconds, and all or nothing would have the node now drown and now wait.

    A report waits its turn in the loop some eight times on its way, so that it takes eight times the lag. Of
    what waits for its turn reports go first: that they are refused is for the sake of the answers, which else
    would come when their incidents have ended.
    """

    full: float
    some_s: float
    behind_s: float
    retry_after_s: int


SHARES: Mapping[Work, Share] = {
    "change": Share(1.0, math.inf, math.inf, 1),
    "incident": Share(1.0, 0.2, 0.5, 1),
    "answer": Share(0.75, 0.3, 0.3, 2),
    "read": Share(0.5, 0.2, 0.2, 5),
    "position": Share(0.25, 0.1, 0.1, 10),
}


class Lag(Protocol):
    """How far the node is behind (s), by what is so now and by what lasts."""

    @property
    def behind_s(self) -> float: ...

    @property
    def lasting_s(self) -> float: ...


class Admission:
    def __init__(self, backlog: Backlog, lag: Lag, metrics: Metrics, most: int | None = None) -> None:
        self._backlog = backlog
        self._lag = lag
        self._metrics = metrics
        self._most = most or IN_FLIGHT_MAX
        self.in_flight = 0
        self._to_refuse = 0.0
        """How much is to be refused still of what has been asked: from one on, the next is."""

    def full(self) -> float:
        """0 is idle, 1 is full."""
        return max(self.in_flight / self._most, self._backlog.count / self._backlog.most)

    def takes(self, work: Work) -> bool:
        """Whether this, which is of this class, is taken now."""
        share, lasting_s = SHARES[work], self._lag.lasting_s
        if self.full() >= share.full or self._lag.behind_s >= share.behind_s:
            return False
        if lasting_s <= share.some_s:
            return True
        self._to_refuse += (lasting_s - share.some_s) / (share.behind_s - share.some_s)
        if self._to_refuse < 1:
            return True
        self._to_refuse -= 1
        return False

    def shed(self, work: Work) -> Problem:
        """The refusal, counted."""
        self._metrics.shed(work)
        return retry_later("unavailable", SHARES[work].retry_after_s - 1, "Too much at once: try again.")
