"""C sources are built where they are first needed: by several at once, where nothing can be written."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from geo import compiled

SOURCE = "int twice(int n) { return 2 * n; }\n"
LOAD = """
import sys
from pathlib import Path
from geo import compiled
print(compiled.load(Path(sys.argv[1])).twice(21))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "twice.c"
    source.write_text(SOURCE)
    return source


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_built_once_and_found_again(source: Path, monkeypatch: pytest.MonkeyPatch):
    assert compiled.load(source).twice(21) == 42
    monkeypatch.setattr(compiled, "build", None)
    assert compiled.load(source).twice(4) == 8
    assert names(source.parent / "built") == [compiled.built_path(source).name]


def test_an_edited_source_is_built_anew(source: Path):
    assert compiled.load(source).twice(21) == 42
    source.write_text(SOURCE.replace("2 *", "3 *"))
    assert compiled.load(source).twice(21) == 63


def test_several_processes_at_once(source: Path):
    run = [sys.executable, "-c", LOAD, str(source)]
    processes = [subprocess.Popen(run, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=100)[0] for process in processes] == ["42\n"] * 6
    assert names(source.parent / "built") == [compiled.built_path(source).name]


def test_where_nothing_can_be_written_a_process_builds_its_own(source: Path):
    """A file in the folder's place stops root as well."""
    (source.parent / "built").write_text("")
    assert compiled.load(source).twice(21) == 42
    assert names(source.parent) == ["built", "twice.c"]


def test_without_the_compiler_it_says_what_to_install(source: Path, monkeypatch: pytest.MonkeyPatch):
    lacks = source.parent / "python"
    lacks.write_text("#!/bin/sh\necho No module named ziglang >&2\nexit 1\n")
    lacks.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(lacks))
    with pytest.raises(compiled.NotBuilt, match="pip install ziglang"):
        compiled.load(source)


def test_multiplication_and_addition_are_rounded_apart(source: Path):
    """In one step, as some processors can, a * a - 1 would be 2 to the power of -52 times more than this."""
    source.write_text("double less_one(double a) { double square = a * a; return square - 1.0; }\n")
    less_one = compiled.load(source).less_one
    less_one.argtypes, less_one.restype = [ctypes.c_double], ctypes.c_double
    a = 1.0 + 2.0**-30
    assert less_one(a) == a * a - 1.0
