"""The fixtures themselves: a session of tests ends its server, also when Ctrl-C ends the session."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres.conftest import server_processes_in

ONE_TEST = """
import asyncio, pathlib

async def test_uses_the_database(database_url):
    pathlib.Path("under-way").write_text("")
    await asyncio.sleep(SLEEP)
"""


@pytest.fixture
def session_folder(pytestconfig, tmp_path) -> Path:
    """A folder with our conftest and one test in it, to run pytest in."""
    (tmp_path / "conftest.py").write_text((pytestconfig.rootpath / "tests" / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    return tmp_path


@pytest.fixture(params=[[], ["-n", "2"]], ids=["alone", "with workers"])
def session(request, session_folder) -> Iterator[subprocess.Popen[bytes]]:
    """A session under way, in a process group of its own, with its temporary folder in `base`."""
    (session_folder / "test_one.py").write_text(
        ONE_TEST.replace("SLEEP", request.node.get_closest_marker("sleeps").args[0])
    )
    command = [sys.executable, "-m", "pytest", "-q", "--basetemp", "base", *request.param]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    process = subprocess.Popen(
        command, cwd=session_folder, env=environment, start_new_session=True, stdout=subprocess.PIPE
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)


@pytest.mark.sleeps("0")
def test_after_the_last_test(session, session_folder):
    out, _ = session.communicate(timeout=60)
    assert session.returncode == 0, out.decode()
    assert not (session_folder / "base" / "postgres-of-this-session").exists()
    assert servers_below(session_folder) == []


@pytest.mark.sleeps("60")
def test_after_ctrl_c(session, session_folder):
    deadline = time.monotonic() + 60
    while not (session_folder / "under-way").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert servers_below(session_folder) != []
    os.killpg(session.pid, signal.SIGINT)
    session.communicate(timeout=60)
    assert session.returncode == 2
    assert servers_below(session_folder) == []


def servers_below(folder: Path) -> list[object]:
    return list(server_processes_in(folder / "base" / "postgres-of-this-session"))
