"""Where the server's socket is: in the cluster, or if its path is too long, in a private folder elsewhere."""

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from dispatch.embedded_postgres.account import Account
from dispatch.embedded_postgres.errors import PostgresUnavailable

PORT = 5432  # only part of the socket's name: there is no TCP
SOCKET_NAME = f".s.PGSQL.{PORT}"
PREFIX = "dispatch-postgres-"
SUN_PATH_BYTES = 103  # sizeof(sockaddr_un.sun_path) - 1 where it is smallest (macOS, the BSDs); Linux has 107
PLACES = ("/tmp", "/var/tmp")  # noqa: S108 (for folders that are 0700 and ours, or not used)


def choose_socket_folder(cluster: Path, account: Account) -> Path:
    """The cluster itself, which is 0700; a private folder where its path does not fit a socket or DSN.

    The same again after a restart, so that a pool's DSN stays good, unless somebody else took its name.
    """
    if _fits(cluster):
        return cluster
    place = _short_place(account)
    folder = place / f"{PREFIX}{hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if found.st_uid == account.uid and found.st_mode == stat.S_IFDIR | 0o700:
            return folder
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))  # 0700
    account.give(folder)
    return folder


def remove_socket_folder(folder: Path, cluster: Path) -> None:
    """Removes a folder of `choose_socket_folder` that no server uses any more; the cluster stays."""
    if folder == cluster or not folder.name.startswith(PREFIX):
        return
    with suppress(FileNotFoundError):
        if folder.lstat().st_uid == cluster.stat().st_uid:
            shutil.rmtree(folder, ignore_errors=True)


def _fits(folder: Path) -> bool:
    """Whether a socket there has a path that is short enough, and that a DSN does not take for two hosts."""
    return len(os.fsencode(folder / SOCKET_NAME)) <= SUN_PATH_BYTES and "," not in str(folder)


def _short_place(account: Account) -> Path:
    """A folder for temporary things that `account` can get to, and below which a private one fits."""
    for place in dict.fromkeys(map(Path, (tempfile.gettempdir(), *PLACES))):
        if place.is_dir() and _fits(place / f"{PREFIX}{16 * 'x'}") and _can_enter(place, account):
            return place
    raise PostgresUnavailable("there is no place for a socket with a short path", "Use a shorter --data-dir.")


def _can_enter(place: Path, account: Account) -> bool:
    return not account.changes or all(
        folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents)
    )
