"""Ctrl-C while a command is still being imported: no traceback, and the end that a shell takes for 130."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.5)
"""


def interrupted_at_the_import_of_click(tmp_path: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """The first of what the commands import: here one that is interrupted, and then does not exist."""
    (tmp_path / "click.py").write_text(INTERRUPTED)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_no_traceback(tmp_path: Path, command: str) -> None:
    done = interrupted_at_the_import_of_click(tmp_path, sys.executable, "-m", "dispatch", command)
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == -signal.SIGINT


def test_where_it_is_ignored_it_stays_so(tmp_path: Path) -> None:
    ignoring = f"trap '' INT; {sys.executable} -m dispatch serve"
    done = interrupted_at_the_import_of_click(tmp_path, "sh", "-c", ignoring)
    assert "has no attribute" in done.stderr, "it went on with what is no click"
