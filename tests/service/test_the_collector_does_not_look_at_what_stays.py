"""A collection passes by what a start or a command made, and there is none without need."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from dispatch.cli.options import server
from dispatch.garbage import MORE_MAX, not_while_starting, serving

A_COMMAND = """
import gc, sys
from dispatch.cli.main import main
looked = []
# From when the commands are imported: what little comes before may make a young collection full.
gc.callbacks.append(lambda phase, _: "dispatch.cli.commands" in sys.modules and looked.append(phase))
sys.argv = ["dispatch", "policy", "check", sys.argv[1]]
try:
    main()
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


def test_what_a_start_makes_is_not_looked_at_before_it_serves_nor_after():
    not_while_starting()
    assert not gc.isenabled()
    known = weakref.ref(Knot())
    serving()
    gc.collect()
    assert known() is not None, "looked at what the start had made"
    late = weakref.ref(Knot())
    gc.collect()
    assert late() is None


def test_a_service_looks_only_where_there_are_ever_more_objects():
    serving()
    known = weakref.ref(Knot())
    for _ in range(4 * MORE_MAX):
        Knot.__new__(Knot)  # gone by itself
    assert known() is not None
    more = [[] for _ in range(MORE_MAX + 1)]
    assert known() is None
    del more


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
