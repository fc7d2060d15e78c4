"""Locks on files, by which the processes that share a data dir agree. The kernel frees a dead process's."""

import asyncio
import fcntl
import os
from pathlib import Path
from time import monotonic

POLL_S = 0.02


class FileLock:
    """An advisory lock (flock) on one file, shared or exclusive, until `release` or the process's end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Takes the lock alone, or turns our shared one into that. False if others do: then we do not."""
        return self._try(fcntl.LOCK_EX)

    async def exclusive(self, limit_s: float) -> bool:
        """Waits up to `limit_s` for the lock. Polls, so that a cancelled wait leaves nothing behind."""
        deadline = monotonic() + limit_s
        while not self.try_exclusive():
            if monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def note(self, text: str) -> None:
        """Writes `text` into the file, for whoever finds it locked."""
        assert self._fd is not None, "only the holder writes"
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def read_note(self) -> str:
        return self.path.read_text().strip()

    def _try(self, kind: int) -> bool:
        if self._fd is None:
            self._fd = open_private(self.path, os.O_RDWR)
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True


def open_private(path: Path, flags: int) -> int:
    """Opens a file of the data dir that only the dir's owner (and root) may read; makes it if missing."""
    fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        # Root, helping out in somebody's data dir, must not leave files there that lock them out.
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd
