"""The README's shell blocks, run as they stand there, in the checkout that a reader has."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks_of(section: str) -> list[str]:
    """The shell blocks under that heading, in order."""
    text = (ROOT / "README.md").read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@contextmanager
def checkout(folder: str, *ports: int) -> Iterator[Path]:
    """Its root. ``folder``: what the session makes in it and leaves behind; ``ports``: what it listens on."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port}, which the README uses, is busy on this machine")
    if (ROOT / folder).exists():
        pytest.skip(f"the folder `{folder}` exists: it is somebody's own session, remove it first")
    told = distribution("responder-alert-dispatch").read_text("direct_url.json") or "{}"
    if json.loads(told).get("url") != ROOT.as_uri():
        pytest.skip("this environment is another checkout's: `./dev` would make it this one's")
    try:
        yield ROOT
    finally:
        shutil.rmtree(ROOT / folder, ignore_errors=True)


class Terminal:
    """One in which a block runs; Ctrl-C at the end, where it still does."""

    def __init__(self, block: str) -> None:
        self._shell = subprocess.Popen(
            ["bash", "-c", block],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=environment(),
        )

    def line(self) -> str:
        """The next that it prints."""
        assert self._shell.stdout is not None
        return self._shell.stdout.readline()

    def rest(self, within_s: float) -> str:
        """What it prints until it ends by itself."""
        return self._shell.communicate(timeout=within_s)[0]

    def kill(self) -> None:
        """As ``kill -9``, for all that runs in it."""
        self._signal(signal.SIGKILL)

    def end(self) -> tuple[str, int]:
        """Ctrl-C; what it printed and its exit code."""
        self._signal(signal.SIGINT)
        try:
            return self._shell.communicate(timeout=30)[0], self._shell.returncode
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def _signal(self, number: signal.Signals) -> None:
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, number)


@contextmanager
def terminal(block: str) -> Iterator[Terminal]:
    one = Terminal(block)
    try:
        yield one
    finally:
        one.end()


def run(block: str) -> str:
    """A block that ends by itself, in a terminal that stops at the first error."""
    return subprocess.run(
        ["bash", "-euc", block],
        cwd=ROOT,
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ).stdout


def until_ready(port: int) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                assert json.load(answer)["ready"]
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the service did not become ready")


def environment() -> dict[str, str]:
    return {**os.environ, "DEV_VENV": sys.prefix}
