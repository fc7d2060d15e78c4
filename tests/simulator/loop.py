"""An event loop on a virtual clock, in which chance decides who is next, and lives can end or stand still.

Whatever runs belongs to a *life*: that of a node, or none (the world around the nodes). The life is found in
the context of each handle, so everything that a task begins belongs to the life of that task. When a life
ends, nothing of it runs any more: no ``finally``, no callback, as after ``kill -9``. Its tasks are kept, so
that they are not torn down by the garbage collector in the middle of a run.

Of the handles that are ready any may be the next, drawn from the seed. Time stands still while one is
ready, and then goes to that of the next timer.

Unrealistic: code takes no time.
"""

import asyncio
import contextlib
import heapq
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
STEPS_AT_ONCE_MAX = 200_000
"""So many steps without time going on are an endless loop."""
TASKS_KEPT_MIN = 2000


class Life:
    """From a start to a ``kill -9``. ``context`` is what its first tasks are begun in."""

    __slots__ = ("context", "ended", "name", "parked", "paused", "runs")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = self.paused = False
        self.runs = True
        """Neither ended nor paused."""
        self.parked: list[Handle] = []
        self.context = copy_context()
        self.context.run(_LIFE.set, self)


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


def current_life() -> Life | None:
    """Whose code is running; None: the world's."""
    return _LIFE.get()


class Handle:
    """A call to come. What asyncio itself needs of its own ``TimerHandle``."""

    __slots__ = ("_args", "_callback", "_context", "_when", "done", "life")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, when: float
    ) -> None:
        self._callback, self._args, self._context = callback, args, context
        self.life: Life | None = context.get(_LIFE)
        self.done = False
        self._when = when

    def cancel(self) -> None:
        self.done = True
        self._callback, self._args = _nothing, ()

    def cancelled(self) -> bool:
        return self.done

    def when(self) -> float:
        return self._when


def _nothing() -> None:
    pass


def _close(close: Callable[[], object]) -> None:
    """Ends a coroutine that will not be waited for; one that awaits something at its end is ended again."""
    for _ in range(5):
        try:
            close()
        except BaseException:
            continue
        else:
            return


class Stuck(Exception):
    """Nothing is left to happen, or things happen for ever at one moment."""


class SimLoop(asyncio.AbstractEventLoop):
    """``time()`` is in seconds from 0. An exception in a callback, or in a task that nobody awaits, is kept
    in ``failures``.
    """

    def __init__(self, seed: object) -> None:
        self._random = Random(f"{seed} loop").random
        self._now = 0.0
        self._ready: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._made = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._look_at_tasks = TASKS_KEPT_MIN
        self._closed = False
        self.steps = 0
        self.failures: list[BaseException] = []

    # --- what asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._closed

    def is_closed(self) -> bool:
        return self._closed

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[T]":
        task = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        self._tasks.append(task)
        if len(self._tasks) > self._look_at_tasks:
            self._let_go_of_ended_tasks()
        return task

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, copy_context() if context is None else context, self._now)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        when = self._now + delay if delay > 0.0 else self._now
        return self.call_at(when, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, copy_context() if context is None else context, when)
        self._made = made = self._made + 1
        heapq.heappush(self._timers, (when, made, handle))
        return handle

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if (error := context.get("exception")) is not None:
            self.failures.append(error)

    async def shutdown_asyncgens(self) -> None:
        pass

    # --- what a simulation does with it

    def run_until(self, when: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Lets everything happen up to a time, or until ``enough``, which is asked when time goes on."""
        with self._running():
            while self._now <= when and not enough():
                self._all_ready()
                if not self._timers or self._timers[0][0] > when:
                    self._now = max(self._now, when)
                    return
                self._next_time()

    def run_until_complete(self, future: Awaitable[T]) -> T:
        """Until it is done. Raises Stuck where it never will be."""
        task = asyncio.ensure_future(future, loop=self)
        with self._running():
            while not task.done():
                self._all_ready(lambda: task.done())
                if not task.done():
                    if not self._timers:
                        raise Stuck("nothing is left to happen")
                    self._next_time()
        return task.result()

    def begin(self, life: Life, work: Coroutine[Any, Any, T], name: str = "task") -> "asyncio.Task[T]":
        """A task of a life, begun from outside it."""
        return self.create_task(work, name=name, context=life.context.copy())

    def end(self, life: Life) -> None:
        """As ``kill -9``."""
        life.ended, life.runs = True, False
        life.parked.clear()

    def pause(self, life: Life) -> None:
        """As SIGSTOP."""
        life.paused, life.runs = True, False

    def wake(self, life: Life) -> None:
        """As SIGCONT: what became ready meanwhile is ready now."""
        life.paused, life.runs = False, not life.ended
        parked, life.parked = life.parked, []
        self._ready += parked

    def close(self) -> None:
        """The run is over: what is left of it is torn down, and nothing of that matters any more."""
        self._closed = True
        self.failures += [error for task in self._tasks if _failed(task) and (error := task.exception())]
        with self._running():
            for task in self._tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro().close)  # type: ignore[union-attr]
            self._tasks, self._ready, self._timers = [], [], []

    def _all_ready(self, enough: Callable[[], bool] | None = None) -> None:
        ready, random, steps = self._ready, self._random, 0
        while ready:
            handle = ready.pop()
            if ready:
                at = int(random() * (len(ready) + 1))
                if at < len(ready):
                    ready[at], handle = handle, ready[at]
            if handle.done:
                continue
            life = handle.life
            if life is not None and not life.runs:
                if not life.ended:
                    life.parked.append(handle)
                continue
            steps += 1
            try:
                handle._context.run(handle._callback, *handle._args)
            except Exception as error:
                self.failures.append(error)
            if enough is not None and enough():
                break
            if steps > STEPS_AT_ONCE_MAX:
                raise Stuck("time does not go on")
        self.steps += steps

    def _next_time(self) -> None:
        """To the next timer that was not cancelled, with all others of its moment."""
        timers, pop = self._timers, heapq.heappop
        while timers:
            when, _, handle = pop(timers)
            if handle.done or (handle.life is not None and handle.life.ended):
                continue
            if when > self._now:
                self._now = when
            self._ready.append(handle)
            while timers and timers[0][0] <= self._now:
                self._ready.append(pop(timers)[2])
            return

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        before, hooks = asyncio._get_running_loop(), sys.get_asyncgen_hooks()  # type: ignore[attr-defined]
        asyncio._set_running_loop(self)
        sys.set_asyncgen_hooks(firstiter=None, finalizer=lambda _: None)  # its frame is simply dropped
        try:
            yield
        finally:
            asyncio._set_running_loop(before)
            sys.set_asyncgen_hooks(*hooks)

    def _let_go_of_ended_tasks(self) -> None:
        """But for those that failed: whether nobody wanted to know is certain only at the end."""
        self._tasks = [task for task in self._tasks if not task.done() or _failed(task)]
        self._look_at_tasks = 2 * len(self._tasks) + TASKS_KEPT_MIN


def _failed(task: "asyncio.Task[Any]") -> bool:
    """Ended with an exception that nobody has asked for; asyncio tells it only when it collects garbage."""
    return task.done() and not task.cancelled() and task._log_traceback  # type: ignore[attr-defined]
