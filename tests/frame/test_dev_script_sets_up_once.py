"""`./dev` makes its environment from the lock and the project, once, and again when these or Python change.

Here with a project in miniature that needs nothing of the network: its own build backend, an empty lock, and
a `dispatch` that tells how it was called.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "miniature"
version = "1"
[tool.hatch]
"""
BACKEND = """
import zipfile

FILES = {
    "miniature.py": "import os, sys\\ndef main(): print(sys.argv[1:], os.getcwd()); return 7\\n",
    "miniature-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: miniature\\nVersion: 1\\n",
    "miniature-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "miniature-1.dist-info/entry_points.txt": "[console_scripts]\\ndispatch = miniature:main\\n",
    "miniature-1.dist-info/RECORD": "",
}

def build_editable(folder, settings=None, metadata=None):
    with zipfile.ZipFile(folder + "/miniature-1-py3-none-any.whl", "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return "miniature-1-py3-none-any.whl"
"""


@pytest.fixture
def checkout(tmp_path, pytestconfig) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(pytestconfig.rootpath / "dev", folder)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "requirements.lock").write_text("# nothing\n")
    return folder


def start_dev(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(checkout / "dev"), *arguments],
        cwd=checkout.parent,
        env={"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_dev(checkout: Path, *arguments: str) -> tuple[int, str, str]:
    process = start_dev(checkout, *arguments)
    out, told = process.communicate(timeout=100)
    return process.returncode, out, told


def test_once_and_then_only_when_something_changed(checkout):
    called = f"['keys', 'list', '--json'] {checkout.parent}\n"
    two_at_once = [start_dev(checkout, "keys", "list", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=100) for process in two_at_once]
    assert [process.returncode for process in two_at_once] == [7, 7], ended
    assert [out for out, _ in ended] == [called, called]
    told = "".join(told for _, told in ended)
    assert told.count("\n") == 1
    assert "setting up" in told
    compiled = (checkout / ".venv").glob("lib/python*/site-packages/__pycache__/miniature.*.pyc")
    assert list(compiled), "also where Python is told to keep no bytecode"

    began = time.monotonic()
    assert run_dev(checkout, "keys", "list", "--json") == (7, called, "")
    assert time.monotonic() - began < 5, "started without making anything"

    (checkout / "requirements.lock").write_text("# nothing, but otherwise\n")
    assert "setting up" in run_dev(checkout, "demo")[2]
    assert run_dev(checkout, "demo")[2] == ""


def test_what_was_cut_off_is_made_anew(checkout):
    process = start_dev(checkout, "demo")
    mark = checkout / ".venv" / "dev-unfinished"
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    half_installed = checkout / ".venv" / "half-installed"
    half_installed.write_text("")
    code, out, told = run_dev(checkout, "demo")
    assert (code, out) == (7, f"['demo'] {checkout.parent}\n"), told
    assert not half_installed.exists()
    assert not mark.exists()


def test_a_checkout_that_was_moved_is_set_up_anew(checkout):
    run_dev(checkout, "demo")
    moved = checkout.with_name("elsewhere")
    checkout.rename(moved)
    code, _, told = run_dev(moved, "demo")
    assert code == 7, told
    assert all(str(moved) in (moved / ".venv" / "bin" / name).read_text() for name in ("dispatch", "pip"))
