"""A data dir of the test's own, and a count of the server processes that live in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

Processes = Callable[[], list[psutil.Process]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data dir that does not exist yet. A server that a failed test left in it is ended."""
    folder = tmp_path / "data"
    yield folder
    for process in server_processes_in(folder):
        if process.ppid() not in [other.pid for other in server_processes_in(folder)]:
            process.send_signal(signal.SIGQUIT)


@pytest.fixture
def server_processes(data_dir: Path) -> Processes:
    return lambda: server_processes_in(data_dir)


def server_processes_in(data_dir: Path) -> list[psutil.Process]:
    """Every process, of any program, whose working directory is the cluster."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.path.samefile(f"/proc/{process.pid}/cwd", data_dir / "postgres"):
                found.append(process)
        except OSError:
            continue
    return found


@pytest.fixture
def another_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python source in a process of its own, its streams piped. Killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", source, *map(str, arguments)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=10)
