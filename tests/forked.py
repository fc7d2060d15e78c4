"""`dispatch` in a process of its own that need not import it first: forked from one that has.

To import the service takes a processor two seconds, more than all else in most tests that kill it and start
it again. So each test worker keeps one process that has imported it (the standard library's fork server), and
forks that for every start. What comes is a process like any: own id, signals, exit code. Where the start
itself is the subject (the command line, README, the demo) it is begun as a user begins it.
"""

import asyncio
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dispatch import fault_points
from dispatch.cli.main import main

IMPORTED = (
    "dispatch.cli.commands",
    "dispatch.serving",
    "tests.faults.outside.brisk",
    "tests.forked",
    "uvloop",
)
LOOK_S = 0.02

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(IMPORTED))


class Forked:
    """One process, as `asyncio.subprocess.Process` is one. What it says goes to ``log``, after what is there,
    but what it prints to ``out`` where that is given.

    ``before`` is called in it first, once its environment is as given; a function of a module.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        out: Path | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        # A daemon to the library: it is ended with the test worker, whatever a test leaves of it.
        self._process = _context.Process(
            target=_live,
            args=(tuple(words), dict(environment), (os.devnull, str(out or log), str(log)), before),
            daemon=True,
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it lives, or stands still; ``-9`` after SIGKILL."""
        return self._process.exitcode

    async def wait(self) -> int:
        while (code := self.returncode) is None:
            await asyncio.sleep(LOOK_S)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _live(
    words: tuple[str, ...],
    environment: dict[str, str],
    streams: tuple[str, str, str],
    before: Callable[[], None] | None,
) -> None:
    """In the new process, from its first moment until its end."""
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        opened = os.open(path, (os.O_WRONLY if number else os.O_RDONLY) | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    importlib.reload(fault_points)  # it reads the environment
    if before is not None:
        before()
    sys.argv = ["dispatch", *words]
    main()
