"""The real service for a benchmark: a process of its own, with medics imported by its own commands."""

import asyncio
import csv
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LAT, LON = 53.35, -6.26
"""Dublin."""


@contextmanager
def process(*command: str, env: dict[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    """A child of ours with its stdout piped; ended by its id."""
    child = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def ports(child: "subprocess.Popen[str]") -> list[int]:
    """What a rival prints once it listens."""
    assert child.stdout is not None
    return [int(word) for word in child.stdout.readline().split()]


def run(*command: str, env: dict[str, str], stdin: str = "") -> str:
    """A ``dispatch`` command's stdout; its failure is ours."""
    done = subprocess.run(
        [sys.executable, "-m", "dispatch", *command],
        env={**os.environ, **env},
        input=stdin,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def until_ready(
    port: int, child: "subprocess.Popen[str]", seconds: float = 120.0, pause_s: float = 0.1
) -> None:
    """Returns when /readyz says yes; RuntimeError when the service ended, or took too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the service ended with {child.returncode}")
        if await asyncio.to_thread(_is_ready, port):
            return
        await asyncio.sleep(pause_s)
    raise RuntimeError("the service did not become ready")


async def until_listening(port: int, child: "subprocess.Popen[str]", seconds: float = 120.0) -> None:
    """Returns when the service takes connections, which may be before it is ready; RuntimeError as above."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the service ended with {child.returncode}")
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.005)
    raise RuntimeError("the service does not listen")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def write_medics(path: Path, count: int, *, spread_deg: float, seed: int = 1) -> None:
    """A CSV for ``dispatch medics import``: homes evenly spread over a square around Dublin."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "phone", "language", "skills", "mode", "home_lat", "home_lon"])
        for i in range(count):
            lat, lon = (
                LAT + draw.uniform(-spread_deg, spread_deg),
                LON + draw.uniform(-spread_deg, spread_deg),
            )
            rows.writerow([f"Medic {i}", f"+3538{i:08}", "en", "", "bicycle", f"{lat:.6f}", f"{lon:.6f}"])
