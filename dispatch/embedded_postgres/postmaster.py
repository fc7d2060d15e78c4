"""The server's main process: found, watched and signalled, whoever started it."""

import asyncio
import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

FIRST_POLL_S = 0.005
LAST_POLL_S = 0.1


class Postmaster:
    """A running postmaster: our child, or one that an earlier process of ours left behind.

    A pidfd, where the system has them, names the process and not its number, so a signal cannot reach another
    that got the number since. PR_SET_PDEATHSIG, which would end the server with us, is not used: it fires
    when the *thread* that started the server ends, commands that still use the server would lose it, and a
    server that lives on loses nothing, since the next start takes it up.
    """

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        """Raises ProcessLookupError if there is no such process."""
        self.pid = pid
        self._child = child
        self._pidfd: int | None = None
        try:
            self._pidfd = os.pidfd_open(pid)
        except AttributeError:
            os.kill(pid, 0)
        except OSError as error:
            if isinstance(error, ProcessLookupError):
                raise
            os.kill(pid, 0)  # a sandbox without pidfds

    def has_ended(self) -> bool:
        if self._child is not None:
            return self._child.poll() is not None
        if self._pidfd is not None:
            watch = select.poll()
            watch.register(self._pidfd, select.POLLIN)
            return bool(watch.poll(0))
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    async def ended(self, limit_s: float | None = None) -> bool:
        """Waits for the end, for at most `limit_s`. Returns whether it came."""
        deadline = None if limit_s is None else monotonic() + limit_s
        pause_s = FIRST_POLL_S
        while not self.has_ended():
            if deadline is not None and monotonic() > deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LAST_POLL_S)
        return True

    def send(self, number: signal.Signals) -> None:
        """Sends a signal; a process that has ended is left in peace."""
        if self.has_ended():
            return
        try:
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def forget(self) -> None:
        """Lets go of the process without touching it."""
        if self._child is not None and self._child.poll() is None:
            # Others still use it when we leave: Popen would complain of one that it takes to be running.
            self._child.returncode = 0
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


@dataclass(frozen=True, slots=True)
class PidFile:
    """`postmaster.pid` of a cluster. Its lines are in src/include/utils/pidfile.h of Postgres."""

    pid: int
    socket_dir: Path | None

    @classmethod
    def read(cls, cluster: Path) -> "PidFile | None":
        """None if there is none, or a half-written one."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None
        folder = lines[4] if len(lines) > 4 else ""
        if folder == lines[1]:  # the cluster itself, by the name the server knows it by
            return cls(pid, cluster)
        return cls(pid, Path(folder) if folder else None)


def find_postmaster(cluster: Path, pid_file: PidFile) -> Postmaster | None:
    """The postmaster that `pid_file` names, if that process lives and really is a server of this cluster."""
    try:
        postmaster = Postmaster(pid_file.pid)
    except (ProcessLookupError, PermissionError):
        return None
    # Looked at after the pidfd was taken: what was true of the number then is true of the process we hold.
    if not postmaster.has_ended() and lives_in(pid_file.pid, cluster):
        return postmaster
    postmaster.forget()
    return None


def lives_in(pid: int, cluster: Path) -> bool:
    """Whether the process runs Postgres in `cluster`: a server's processes have it as working directory."""
    if os.path.isdir("/proc/self"):
        try:
            in_cluster = os.path.samefile(f"/proc/{pid}/cwd", cluster)
            return in_cluster and os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("postgres")
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return f"-D {cluster} " in listed.stdout


def anybody_lives_in(cluster: Path) -> bool:
    """Whether any process of a server is left in `cluster`. False where the system cannot tell."""
    if not os.path.isdir("/proc/self"):
        return False
    return any(lives_in(int(name), cluster) for name in os.listdir("/proc") if name.isdigit())
