"""How long an answer is waited for, by the beats of this process and not by the clock.

A busy loop, or a process that gets no processor, reads an answer late that came in time. To give it up then
costs a connection and the question once more, just when there is least to spare. A beat that comes late is
one beat all the same, so that as much patience is left as before.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

BEAT_S = 0.1

Given = TypeVar("Given")


async def patiently(work: Coroutine[Any, Any, Given], seconds: float) -> Given:
    """What ``work`` gives, or raises; TimeoutError, and it is cancelled, where that takes too many beats."""
    task = asyncio.get_running_loop().create_task(work)
    patience = _Patience(task, round(seconds / BEAT_S))
    try:
        return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if patience.left > 0 or (current is not None and current.cancelling()):
            raise
        raise TimeoutError from None
    finally:
        patience.end()


class _Patience:
    """Cancels a task after so many beats. Once ended it is in no cycle: the collector has no work of it."""

    __slots__ = ("_loop", "_task", "_timer", "left")

    def __init__(self, task: asyncio.Task[Any], left: int) -> None:
        self.left = left
        self._task, self._loop = task, task.get_loop()
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def end(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        self.left -= 1
        if self.left > 0:
            self._timer = self._loop.call_later(BEAT_S, self._beat)
        else:
            self._task.cancel()
