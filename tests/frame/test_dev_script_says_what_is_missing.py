"""`./dev` on a machine that lacks something: one line on stderr that says what to do, exit code 2."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKELETON = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "nothing"
version = "0"
[tool.hatch]
"""


@pytest.fixture
def checkout(tmp_path, pytestconfig) -> Path:
    """A folder with a space in its name that holds `dev` and a project that wants what nobody serves."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(pytestconfig.rootpath / "dev", folder)
    (folder / "pyproject.toml").write_text(SKELETON)
    (folder / "requirements.lock").write_text("nothing==0 --hash=sha256:" + "0" * 64 + "\n")
    return folder


def run_dev(checkout: Path, *arguments: str, python: str = sys.executable, **environment: str):
    done = subprocess.run(
        [python, str(checkout / "dev"), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", **environment},
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


def pretending(folder: Path, statement: str) -> str:
    """A python3 of which `statement` is true before the script begins."""
    path = folder / "python3"
    code = (
        f"import sys, runpy; {statement}; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_too_old_a_python(checkout):
    python = pretending(checkout, "sys.version_info = (3, 9, 2)")
    code, out, told = run_dev(checkout, "test", python=python, PATH="/nowhere")
    assert (code, out) == (2, "")
    assert told == ["dev: python3 is 3.9, this needs 3.11 or newer: install it (Debian: apt install python3)"]


def test_an_old_python_gives_way_to_a_newer_one_on_the_path(checkout):
    newer = checkout / "python3.12"
    newer.write_text("#!/bin/sh\necho newer\n")
    newer.chmod(0o755)
    python = pretending(checkout, "sys.version_info = (3, 9, 2)")
    code, out, _ = run_dev(checkout, "test", python=python, PATH=str(checkout))
    assert (code, out) == (0, "newer\n")


def test_an_old_python_can_read_the_script(checkout):
    import ast

    ast.parse((checkout / "dev").read_text(), feature_version=(3, 5))


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_no_module_to_make_environments_with(checkout, module):
    hide = f"import importlib.util as u; u.find_spec = lambda name: None if name == '{module}' else 1"
    code, out, told = run_dev(checkout, "test", python=pretending(checkout, hide))
    assert (code, out) == (2, "")
    assert told == [
        "dev: this Python cannot make virtual environments: apt install python3-venv (or your system's like)"
    ]


def test_a_folder_that_cannot_be_written(checkout):
    (checkout / "file").write_text("")
    code, out, told = run_dev(checkout, "test", DEV_VENV=str(checkout / "file" / "venv"))
    assert (code, out) == (2, "")
    assert told[0].startswith("dev: setting up ")
    assert told[1:] == ["dev: cannot write here: set DEV_VENV to a folder that can be written to"]


def test_a_package_that_is_not_served_and_again_from_the_start_without_a_network(checkout):
    code, out, told = run_dev(checkout, "check")
    assert (code, out) == (2, "")
    assert told[-1].startswith("dev: the package index has not got what requirements.lock pins: see ")
    assert len(told) == 2
    assert "nothing==0" in (checkout / ".venv" / "dev-set-up.log").read_text()
    nowhere = "http://127.0.0.1:9/simple"
    code, out, told = run_dev(checkout, "check", PIP_NO_INDEX="", PIP_INDEX_URL=nowhere, PIP_RETRIES="0")
    assert (code, out) == (2, "")
    assert told[0].startswith("dev: setting up ")
    assert told[1:] == ["dev: no network: the first set-up downloads packages, connect and run this again"]
    assert not (checkout / ".venv" / "dev-stamp").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_disk(checkout):
    (checkout / "small").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", checkout / "small"]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody mount a small disk")
    try:
        code, out, told = run_dev(checkout, "check", DEV_VENV=str(checkout / "small" / "venv"))
    finally:
        subprocess.run(["umount", checkout / "small"], check=True)
    assert (code, out) == (2, "")
    assert told[-1] == "dev: the disk is full: free some space (2 GB will do) and run this again"
    assert len(told) == 2


def test_without_a_word_it_tells_what_there_is(checkout):
    code, out, told = run_dev(checkout)
    assert code == 2
    assert "./dev demo" in out + "\n".join(told)
    assert run_dev(checkout, "--help")[0] == 0
