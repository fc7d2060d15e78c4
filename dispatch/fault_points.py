"""Where a test kills this process, as `kill -9` would: a point a stage. In service each is an empty call.

``DISPATCH_TEST_KILL_AT`` names a file. The process dies on reaching the stage that is named in it, or with a
``+`` before the name a turn of the loop later, when what was written until then is on the wire. With a ``=``
it is paused there instead, until it gets SIGCONT.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

VARIABLE = "DISPATCH_TEST_KILL_AT"


def _off(stage: str) -> None:
    """Nobody is to die."""


def _armed_by(file: Path) -> Callable[[str], None]:
    def reached(stage: str) -> None:
        wanted = file.read_text() if file.exists() else ""
        if wanted == stage:
            _die()
        elif wanted == f"+{stage}":
            asyncio.get_running_loop().call_soon(_die)
        elif wanted == f"={stage}":
            file.write_text("")
            os.kill(os.getpid(), signal.SIGSTOP)

    return reached


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


reached: Callable[[str], None] = _armed_by(Path(os.environ[VARIABLE])) if VARIABLE in os.environ else _off
