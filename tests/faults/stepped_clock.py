"""A clock that a test steps, for processes started with it: libfaketime, their monotonic time left alone.

Unrealistic: a step reaches the process at its next look at the time, and what the C library times by the wall
clock (`pthread_cond_timedwait`) is not woken by it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"
"""In the package, which is not imported: it would start this process anew with itself loaded."""


class SteppedClock:
    """``environment`` is for the process; ``step`` moves its time from then on."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._file = folder / "time"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.step(0)

    def step(self, seconds: int) -> None:
        """So far from the true time, before (-) or after it."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.chmod(0o644)
        new.replace(self._file)


@contextmanager
def a_stepped_clock() -> Iterator[SteppedClock]:
    """Where any account may read it: Postgres runs as another than root."""
    found = find_spec("libfaketime")
    places = list(found.submodule_search_locations or ()) if found else []
    if not places or os.uname().machine != "x86_64":
        pytest.skip("libfaketime comes built for Linux on x86-64")
    folder = Path(tempfile.mkdtemp(prefix="dispatch-test-clock-"))
    try:
        folder.chmod(0o755)
        library = folder / "libfaketime.so.1"
        shutil.copy(Path(places[0]) / LIBRARY, library)
        library.chmod(0o755)
        yield SteppedClock(folder, library)
    finally:
        shutil.rmtree(folder)
