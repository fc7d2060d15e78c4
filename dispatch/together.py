"""Many look-ups of one kind: those that come while one is under way go together in the next.

Ten thousand devices that come back in one moment ask the database ten times, not ten thousand.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from dispatch.tasks import Tasks

AT_ONCE_MAX = 1000
Key = TypeVar("Key")
Found = TypeVar("Found")


class Together(Generic[Key, Found]):
    """``find_all`` gives what was found, by key; what it raises is raised to all who asked."""

    def __init__(self, find_all: Callable[[list[Key]], Awaitable[Mapping[Key, Found]]]) -> None:
        self._find_all = find_all
        self._waiting: dict[Key, asyncio.Future[Found | None]] = {}
        self._tasks = Tasks()
        self._looking = False
        """Until nobody waits any more: that the task of the look has ended is known a moment later only."""

    async def find(self, key: Key) -> Found | None:
        """None: there is none. Raises what ``find_all`` raises."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        if not self._looking:
            self._looking = True
            self._tasks.spawn(self._look(), name="look-ups")
        return await asyncio.shield(answer)

    async def _look(self) -> None:
        try:
            await self._look_all_up()
        finally:
            self._looking = False

    async def _look_all_up(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:AT_ONCE_MAX]
            asked = [self._waiting.pop(key) for key in keys]
            try:
                found = await self._find_all(keys)
            except Exception as error:
                for answer in asked:
                    answer.set_exception(error)
                    answer.exception()  # whoever asked may have gone
            else:
                for key, answer in zip(keys, asked, strict=True):
                    answer.set_result(found.get(key))
