"""What a node is made of runs in the fault simulator too, where one seed has to give one order of everything.

Addresses and hash seeds differ from run to run: nothing may be ordered by them. Chance and time are given.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = (
    ROOT / "dispatch",
    ROOT / "dispatch" / "core",
    ROOT / "dispatch" / "store",
    ROOT / "notify",
    ROOT / "geo",
)
BANNED = (
    "import asyncio\n\nasyncio.TaskGroup()\n",
    "import asyncio\n\nasyncio.wait([])\n",
    "import asyncio\n\nasyncio.as_completed([])\n",
    "import asyncio\n\nasyncio.to_thread(print)\n",
    "from asyncio import TaskGroup\n\nTaskGroup()\n",
    "import threading\n\nthreading.Thread()\n",
    "from concurrent.futures import ThreadPoolExecutor\n\nThreadPoolExecutor()\n",
    "import random\n\nrandom.random()\n",
    "import secrets\n\nsecrets.randbits(3)\n",
    "import time\n\ntime.monotonic()\n",
)


def lint(code: str, path: str) -> str:
    """What ruff says of ``code`` were it in the file ``path``."""
    command = (
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format=concise",
        "--stdin-filename",
        path,
        "-",
    )
    done = subprocess.run(command, input=code, cwd=ROOT, capture_output=True, text=True, timeout=30)
    return done.stdout


@pytest.mark.parametrize("code", BANNED)
def test_what_is_ordered_by_address_or_brings_its_own_chance_or_time_is_refused(code: str) -> None:
    assert "TID251" in lint(code, "dispatch/deciding/decisions.py")
    assert "TID251" in lint(code, "dispatch/store/appender.py")
    assert "TID251" in lint(code, "notify/websocket.py")


def test_around_a_node_it_may_be_used() -> None:
    assert "TID251" not in lint(BANNED[-1], "dispatch/api/socket.py")


def test_no_set_is_gone_through() -> None:
    files = [path for part in PARTS for path in sorted(part.glob("*.py"))]
    assert len(files) > 60
    assert not [f"{path.relative_to(ROOT)}:{line}" for path in files for line in set_loops(path.read_text())]


@pytest.mark.parametrize(
    "code",
    [
        "for a in {1, 2}: pass",
        "[a for a in set(b)]",
        "x: set[asyncio.Task[None]]",
        "for a in frozenset(b): pass",
    ],
)
def test_a_set_gone_through_is_found(code: str) -> None:
    assert list(set_loops(code)) == [1]


def set_loops(code: str) -> Iterator[int]:
    """Lines that go through a set as written there, or that keep tasks in one."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and is_set(node.iter):
            yield node.iter.lineno
        if isinstance(node, ast.Subscript) and ast.unparse(node).startswith("set[asyncio."):
            yield node.lineno


def is_set(node: ast.expr) -> bool:
    made = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("set", "frozenset")
    )
    return made or isinstance(node, ast.Set | ast.SetComp)
