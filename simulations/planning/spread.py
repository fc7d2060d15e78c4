"""Work over indices 0, 1, 2 ..., spread over processes or a Dask cluster, handed back in their order.

What is handed back does not depend on how it was spread: each index is worked out whole in one place, and
what comes early waits. Leaving off at any time leaves the longest prefix.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

About = TypeVar("About")
Made = TypeVar("Made")
Make = Callable[[About], Callable[[int], Made]]
"""A function of a module: prepares in each process, once, what works an index out."""

AHEAD = 4
"""Indices handed out per worker beyond those done: nobody idles, and little is lost when it ends early."""


def in_order(make: Make[About, Made], about: About, count: int, jobs: int) -> Generator[Made, None, None]:
    """Over ``jobs`` processes; 1: in this one. ``make`` and ``about`` are pickled where there are several."""
    if jobs == 1 or count == 0:
        work = make(about)
        yield from (work(index) for index in range(count))
        return
    workers = min(jobs, count)
    try:
        with _processes(make, about, workers) as executor:
            yield from _ordered(executor, _work_here, (), count, AHEAD * workers)
    except BrokenProcessPool:
        raise WorkerDied("a process of the simulation was killed: is there enough memory?") from None


def on_dask(make: Make[About, Made], about: About, count: int, address: str) -> Generator[Made, None, None]:
    """Over the workers of a Dask cluster, which need this package in the same version.

    Raises `OSError` where no scheduler or worker is there, `VersionsDiffer`, and `ImportError` without
    the extra ``dask``.
    """
    from distributed import Client

    with Client(address, timeout=5, set_as_default=False) as client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise OSError(f"the cluster at {address} has no workers")
        check_versions(client, versions())
        (sent,) = client.scatter([(make, about)], broadcast=True, hash=False)
        executor = client.get_executor(pure=False)
        try:
            yield from _ordered(executor, _work_there, (sent.key, sent), count, AHEAD * workers)
        finally:
            executor.shutdown(wait=False)


class VersionsDiffer(RuntimeError):
    """A cluster's workers would work the indices out by another program."""


class WorkerDied(RuntimeError):
    """A process ended before its work: it was killed, most likely for the memory it took."""


def versions() -> dict[str, str]:
    """Of what results depend on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("responder-alert-dispatch", "numpy", "scipy", "h3")}


def check_versions(client: Any, ours: dict[str, str]) -> None:
    """Raises `VersionsDiffer` for the first worker that has another, or has not got the package."""
    try:
        by_worker = client.run(versions)
    except Exception as error:  # of what kind depends on how the worker could not read what it was sent
        raise VersionsDiffer(f"the workers do not have this package: {error}") from None
    for worker, theirs in sorted(by_worker.items()):
        for name, version in ours.items():
            if theirs[name] != version:
                raise VersionsDiffer(f"{worker} has {name} {theirs[name]}, this machine {version}")


def _ordered(
    executor: Executor, work: Callable[..., Made], before: tuple[Any, ...], count: int, window: int
) -> Iterator[Made]:
    """``work(*before, index)`` for each index; at most ``window`` of them are out at once."""
    out: deque[Future[Made]] = deque()
    handed_out = 0
    while out or handed_out < count:
        while handed_out < count and len(out) < window:
            out.append(executor.submit(work, *before, handed_out))
            handed_out += 1
        yield out.popleft().result()


@contextmanager
def _processes(make: Make[About, Made], about: About, workers: int) -> Iterator[Executor]:
    """Spawned, not forked: the same on every system, and no thread of the parent's is cut in half."""
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _prepare_here, (make, about)
    )
    try:
        with _ctrl_c_waits():
            for _ in range(workers):  # each begins a process, as none is idle yet
                executor.submit(_nothing)
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        # One that ended in the middle of what it handed back leaves the executor waiting for the rest. The
        # pipe's end comes once nobody is left who could write, and the executor holds a writer, unused.
        executor._result_queue._writer.close()  # type: ignore[attr-defined]
        raise
    finally:
        # Waits for the processes: the executor notices that they are gone, and it alone may reap them.
        executor.shutdown()


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """It reaches all processes of a terminal, and the first one alone says what then becomes of them: those
    that begin meanwhile never hear it, not even while they import. The first one hears it afterwards: another
    of its threads (a library's) may take the signal, and what a process is sent would end in the middle.
    """
    heard: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number)) if is_main else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if heard:
            signal.raise_signal(signal.SIGINT)


_here: list[Callable[[int], Any]] = []
"""In a process of ours: what works an index out."""


def _prepare_here(make: Make[Any, Any], about: Any) -> None:
    """What goes wrong here is told by the first index: raised here, it would look like a process killed."""
    try:
        _here.append(make(about))
    except Exception as error:
        _here.append(partial(_fail, error))


def _fail(error: Exception, _: int) -> None:
    raise error


def _nothing() -> None:
    pass


def _work_here(index: int) -> Any:
    return _here[0](index)


_there: dict[str, Callable[[int], Any]] = {}
_one_at_a_time = threading.Lock()


def _work_there(key: str, sent: tuple[Make[Any, Any], Any], index: int) -> Any:
    """In a Dask worker, whose threads take turns: what is prepared is for one at a time."""
    with _one_at_a_time:
        if key not in _there:
            _there.clear()
            make, about = sent
            _there[key] = make(about)
        return _there[key](index)
