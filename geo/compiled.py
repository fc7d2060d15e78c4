"""The parts written in C, built where they are first needed.

A numpy call costs a microsecond before it does anything, and a search wants dozens. `search.c` is compiled by
zig's C compiler, which comes as a wheel and so needs nothing on the machine: a quarter of a second, once. The
result lies in `built/` beside the source, under a name that says what it was built from, so that an edited
source is never met by an old result. Where nothing can be written there (a read-only installation), each
process builds its own and keeps no file. A wheel of this project brings its result along and needs no zig.
"""

import ctypes
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_FLAGS = (
    "-O3",
    "-mcpu=baseline",  # whoever built it, any machine of the kind can run it
    "-ffp-contract=off",  # a * b + c in one step rounds once, numpy twice: other bits
    "-fno-sanitize=all",
    "-nostdlib",
    "-shared",
    "-fPIC",
    "-s",
)


class NotBuilt(Exception):
    """The compiler is missing or failed; the message says what to do."""


def load(source: Path) -> ctypes.PyDLL:
    """The compiled functions of a C file. They are short: the interpreter's lock is kept while they run."""
    path = built_path(source)
    if path.exists():
        return ctypes.PyDLL(str(path))
    try:
        return ctypes.PyDLL(str(build(source, path.parent)))
    except OSError:
        # Its own folder, that nobody else can write to; a loaded library needs its file no longer.
        with tempfile.TemporaryDirectory() as private:
            return ctypes.PyDLL(str(build(source, Path(private))))


def address(function: Any) -> int:
    """Where a compiled function lies, to be handed to another one."""
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def built_path(source: Path) -> Path:
    """Where the result for this source, compiled so, on this kind of machine lies or would lie."""
    digest = hashlib.sha256(source.read_bytes() + repr(_FLAGS).encode()).hexdigest()[:16]
    kind = f"{sys.platform}-{platform.machine()}".lower()
    return source.parent / "built" / f"{source.stem}-{kind}-{digest}.so"


def build(source: Path, folder: Path) -> Path:
    """Compiles into a folder. Several may do so at once: each writes its own file and moves it into place.

    OSError where the folder cannot be written to, `NotBuilt` without a compiler.
    """
    target = folder / built_path(source).name
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        result = Path(scratch) / target.name
        _compile(source, result)
        result.replace(target)
    return target


def _compile(source: Path, result: Path) -> None:
    cache = str(result.parent / "zig")
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", str(result), str(source)],
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        hint = "pip install ziglang" if "No module named" in done.stderr else "see above"
        raise NotBuilt(f"{done.stderr}\n{source.name} could not be compiled: {hint}")
