"""A database cluster on disk: made whole or not at all, open to its owner alone, its settings fixed."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from dispatch.embedded_postgres.account import Account, account_of, account_with_a_name, name_of
from dispatch.embedded_postgres.binaries import MAJOR, binary_for
from dispatch.embedded_postgres.errors import PostgresUnavailable, unavailable
from dispatch.embedded_postgres.socket_folder import PORT, SOCKET_NAME

ROLE = "dispatch"
DATABASE = "dispatch"
LOCK_FILES = ("postmaster.pid", f"{SOCKET_NAME}.lock", SOCKET_NAME)
CLUSTER_BYTES = 60 * 1024**2
"""More than what a new cluster takes."""
INITDB_S_MAX = 120

# A folder as the process that stands in it sees it. Root's data dir often lies below a folder that is closed
# to the account the server runs as (/root). Started in the cluster with this as its data dir, the server
# needs no way to it, and nobody's folders have to be opened. Linux only.
HERE = "/proc/self/cwd"

# Passed on the command line, where neither postgresql.conf nor ALTER SYSTEM overrides them.
MUST_HOLD = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows hold phone numbers and positions, and messages quote rows. Errors go to the client that made them;
    # the log has what the server itself has to tell, without the statement, the key or the row.
    "log_error_verbosity": "terse",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "cluster_name": "dispatch",
}

# Written into postgresql.conf when the cluster is made, the operator's to change.
DEFAULTS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "jit": "off",  # our statements are short: compiling one costs more than running it
    "max_logical_replication_workers": "0",
}


class Cluster:
    """The cluster of one data dir, `DIR/postgres`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "postgres"
        self.log_path = data_dir / "postgres.log"

    def prepare(self) -> Account:
        """Makes the cluster if there is none, and says again who may connect. Returns who the server runs as.

        Takes half a second the first time. Raises PostgresUnavailable.
        """
        try:
            account = account_of(self.path)
            if account.changes and not os.path.isdir(HERE):
                raise PostgresUnavailable(
                    "Postgres cannot run as root on this system", "Run this as an ordinary user."
                )
            if not self.path.exists():
                self._make(account)
            self._check_major()
            self._write_access(account)
        except OSError as error:
            raise unavailable(f"cannot use {self.path}", str(error), "Check the folder.") from error
        return account

    def command(self, account: Account, socket_dir: Path) -> list[str]:
        """The server's command line, to be run with the cluster as working directory."""
        here = HERE if account.changes else str(self.path)
        sockets = here if socket_dir == self.path else str(socket_dir)
        settings = {**MUST_HOLD, "unix_socket_directories": _quoted(sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(binary_for(account, "postgres")), "-D", here, *options]

    def has_locks(self) -> bool:
        """Whether a server runs, or one died without a word."""
        return any((self.path / name).exists() for name in LOCK_FILES)

    def clear_locks(self) -> None:
        for name in LOCK_FILES:
            (self.path / name).unlink(missing_ok=True)

    def dsn(self, socket_dir: Path, database: str = DATABASE) -> str:
        return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(socket_dir), safe='')}&port={PORT}"

    def log_tail(self, size_bytes: int = 4000) -> str:
        """What the server said last."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - size_bytes))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _make(self, account: Account) -> None:
        """initdb in a folder beside, all of it synced, then renamed: a power cut leaves no half a cluster.

        Nothing is synced before the end, which is faster, and safe since only the rename makes it ours.
        """
        new = self.path.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        maker = account_with_a_name()
        maker.give(new)
        here = HERE if maker.changes else str(new)
        _initdb(maker, new, [*_initdb_options(), "--no-sync", "-D", here])
        (new / "pg_ident.conf").write_text("")
        _initdb(maker, new, ["--sync-only", "-D", here])
        account.give(new)
        new.rename(self.path)
        _sync(self.data_dir)

    def _check_major(self) -> None:
        found = (self.path / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise PostgresUnavailable(
                f"the database in {self.path} was made by Postgres {found}, this is Postgres {MAJOR}",
                "Dump it with the release that made it and restore it here, or use another --data-dir.",
            )

    def _write_access(self, account: Account) -> None:
        """Who may connect: root, who can do all anyway, the cluster's owner, whoever we are. No password."""
        users = dict.fromkeys(["root", name_of(account.uid), name_of(os.geteuid())])
        lines = [f'{ROLE} "{user}" {ROLE}' for user in users if user]
        self._replace("pg_ident.conf", lines, account)
        self._replace("pg_hba.conf", [f"local all {ROLE} peer map={ROLE}"], account)

    def _replace(self, name: str, lines: list[str], account: Account) -> None:
        path = self.path / name
        text = "".join(f"{line}\n" for line in ("# Written by dispatch at every start.", *lines))
        if path.exists() and path.read_text() == text:
            return
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        # Exclusive: root must not write through a link that the cluster's owner put there.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            if account.changes:
                os.fchown(file.fileno(), account.uid, account.gid)
        new.rename(path)


def clean_environment() -> dict[str, str]:
    """What a child of ours gets of the environment: nothing of PGDATA, PGOPTIONS and their like."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _initdb_options() -> list[str]:
    fixed = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    fixed += [f"--username={ROLE}", "--auth-local=peer", "--auth-host=reject", "--no-instructions"]
    return fixed + [f"--set={name}={value}" for name, value in DEFAULTS.items()]


def _initdb(account: Account, folder: Path, arguments: list[str]) -> None:
    free = shutil.disk_usage(folder).free
    done = subprocess.run(
        [binary_for(account, "initdb"), *arguments],
        cwd=folder,
        **account.run_as(),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=INITDB_S_MAX,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        if free < CLUSTER_BYTES:  # its last words are then of something else, and it has tidied up already
            said += "\nNo space left on device"
        raise unavailable("the database could not be made", said, f"initdb ran in {folder}.")


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _quoted(path: str) -> str:
    # Folders are a list with commas between; a quoted one may hold commas, and quotes doubled.
    return '"' + path.replace('"', '""') + '"'
