"""Which operating-system user the server runs as. Postgres refuses to run as root."""

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypedDict

from dispatch.embedded_postgres.errors import PostgresUnavailable

# Between the ranges handed out by systemd ("Users, Groups, UIDs and GIDs on systemd systems" leaves 60706 to
# 61183 unused), and inside the 65,536 ids that a rootless container maps.
FIRST_UNUSED_UID = 60911


class RunAs(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen` that set the user of the child."""

    user: int
    group: int
    extra_groups: Iterable[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The user of a server process. `changes` is true when we are root and must become it."""

    uid: int
    gid: int
    changes: bool

    def run_as(self) -> RunAs:
        return {"user": self.uid, "group": self.gid, "extra_groups": ()} if self.changes else {}

    def give(self, path: Path) -> None:
        """Makes `path` and all below it this account's own."""
        if not self.changes:
            return
        for folder, _, files in os.walk(path):
            for name in (".", *files):
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)


def i_am_root() -> bool:
    return os.geteuid() == 0


def account_of(cluster: Path) -> Account:
    """The account that owns `cluster`, or where there is none yet, the one that will.

    As an ordinary user that is ourselves. As root it is a user id that nobody else has, always the same one:
    not `nobody`, whose processes could read the database's files.

    Raises PostgresUnavailable if the cluster belongs to somebody else.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if i_am_root():
        uid = _unused_uid() if owner is None else owner
        return Account(uid, uid if owner is None else cluster.stat().st_gid, changes=True)
    if owner not in (None, os.geteuid()):
        raise PostgresUnavailable(
            f"the database in {cluster} belongs to the user {name_of(owner) or owner}",
            "Run this as that user, or use another --data-dir.",
        )
    return Account(os.geteuid(), os.getegid(), changes=False)


def account_with_a_name() -> Account:
    """The account for `initdb`, which alone insists on a name in the user database; the server does not.

    Raises PostgresUnavailable if there is none to use.
    """
    if not i_am_root():
        if name_of(os.geteuid()) is None:
            raise PostgresUnavailable(
                f"the user id {os.geteuid()} has no name on this system, and initdb wants one",
                "Add it to /etc/passwd, run this as another user, or set DISPATCH_DATABASE_URL.",
            )
        return Account(os.geteuid(), os.getegid(), changes=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresUnavailable(
            "Postgres cannot run as root, and this system has no user `nobody` to make a database with",
            "Run this as an ordinary user, or set DISPATCH_DATABASE_URL.",
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, changes=True)


def name_of(uid: int | None) -> str | None:
    """The login name of `uid`, or None."""
    try:
        return None if uid is None else pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _unused_uid() -> int:
    return next(uid for uid in count(FIRST_UNUSED_UID) if name_of(uid) is None)
