"""A full collection passes by what has been there for a while, until many sockets have closed."""

import asyncio
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from dispatch.cli_options import server
from dispatch.garbage import CLOSED_MIN, Garbage, not_while_starting

A_COMMAND = """
import gc, sys
from dispatch import cli
looked = []
# From when the commands are imported: what little comes before may make a young collection full.
gc.callbacks.append(lambda phase, _: "dispatch.cli_commands" in sys.modules and looked.append(phase))
sys.argv = ["dispatch", "policy", "check", sys.argv[1]]
try:
    cli.main()
finally:
    print(len(looked))
"""


class Knot:
    """Refers to itself, so that nothing but the collector ever frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _unfrozen():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
    gc.unfreeze()


def test_what_is_new_and_in_nobodys_hands_is_freed():
    garbage = Garbage(lambda: (0, 0))
    known = weakref.ref(Knot())
    garbage.look()
    assert known() is None


def test_what_stayed_is_frozen_until_a_quarter_of_the_sockets_has_closed():
    open_, closed = 8 * CLOSED_MIN, 0
    garbage = Garbage(lambda: (open_, closed))
    socket = Knot()
    known = weakref.ref(socket)
    garbage.look()
    assert gc.get_freeze_count() > 0
    del socket
    closed = 2 * CLOSED_MIN - 1
    garbage.look()
    assert known() is not None, "looked at everything"
    closed += 1
    garbage.look()
    assert known() is None


async def test_what_a_start_makes_is_not_looked_at_before_it_serves_nor_after():
    not_while_starting()
    assert not gc.isenabled()
    known = weakref.ref(Knot())
    running = asyncio.create_task(Garbage(lambda: (0, 0)).run())
    await asyncio.sleep(0)
    assert gc.isenabled()
    gc.collect()
    assert known() is not None, "looked at what the start had made"
    late = weakref.ref(Knot())
    gc.collect()
    assert late() is None
    running.cancel()


def test_what_a_command_imports_is_not_looked_at(tmp_path: Path):
    file = tmp_path / "policies.toml"
    file.write_text("")
    done = subprocess.run([sys.executable, "-c", A_COMMAND, str(file)], capture_output=True, text=True)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


async def test_what_a_command_makes_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISPATCH_DATABASE_URL", "postgresql://host/database")
    not_while_starting()
    async with server(tmp_path):
        assert gc.isenabled()
