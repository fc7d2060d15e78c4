"""Tasks of the service's own: spawned, joined and cancelled in the order in which they were begun.

``asyncio.wait`` and ``asyncio.TaskGroup`` keep tasks in sets, which are ordered by address: no two runs would
be alike, and the fault simulator could not replay one.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

CANCELLED_S_MAX = 5.0


class Tasks:
    """Those that have not ended."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str | None = None) -> "asyncio.Task[Any]":
        """Begins ``work``; what it raises is its own affair, or that of whoever awaits the task."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))
        return task

    async def join(self) -> None:
        """Returns when all have ended, those too that were spawned meanwhile. None is ended by it."""
        while self._tasks:
            await ended(next(iter(self._tasks)))

    async def cancel(self) -> None:
        """Cancels all, and returns when they have ended.

        Again, where one went on: a driver's own error, raised in place of the cancellation, looked to it like
        trouble with the database.
        """
        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(CANCELLED_S_MAX):
                    await self.join()


async def ended(task: "asyncio.Task[Any]") -> None:
    """Returns when the task has ended, however it did; who is cancelled here does not cancel it."""
    waiter = asyncio.get_running_loop().create_future()

    def tell(_: "asyncio.Task[Any]") -> None:
        if not waiter.done():
            waiter.set_result(None)

    task.add_done_callback(tell)
    try:
        await waiter
    finally:
        task.remove_done_callback(tell)
