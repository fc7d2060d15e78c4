"""Asking something that may hang, with an answer in time all the same."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Question(Generic[T]):
    """At most one asking is under way; who asks meanwhile waits for that one.

    An asking that takes longer goes on: to give one up can take as long as to wait for it.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[T] | None = None

    async def answer(self, wait_s: float) -> T:
        """Raises TimeoutError after ``wait_s``, and what ``ask`` raises."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())
            self._asking.add_done_callback(_heard)
        async with asyncio.timeout(wait_s):
            return await asyncio.shield(self._asking)

    def give_up(self) -> None:
        """Nobody will ask any more."""
        if self._asking is not None:
            self._asking.cancel()


def _heard(asking: "asyncio.Task[Any]") -> None:
    """That it failed may be told to nobody: who asked has gone by then."""
    if not asking.cancelled():
        asking.exception()
