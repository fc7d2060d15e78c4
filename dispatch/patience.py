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
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    left = round(seconds / BEAT_S)
    timer: asyncio.TimerHandle

    def beat() -> None:
        nonlocal left, timer
        left -= 1
        if left > 0:
            timer = loop.call_later(BEAT_S, beat)
        else:
            task.cancel()

    timer = loop.call_later(BEAT_S, beat)
    try:
        return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if left > 0 or (current is not None and current.cancelling()):
            raise
        raise TimeoutError from None
    finally:
        timer.cancel()
