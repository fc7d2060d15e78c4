"""The one error of embedded Postgres, and how the server's own words become it."""


class PostgresUnavailable(Exception):
    """There is no Postgres to talk to. `message` says why in one line, `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint


KNOWN = (
    ("No space left on device", "the disk is full", "Free some space, or use a --data-dir on another disk."),
    (
        "could not map anonymous shared memory",
        "there is not enough memory for Postgres",
        "Free some memory, or set DISPATCH_DATABASE_URL to a server elsewhere.",
    ),
    (
        "Read-only file system",
        "the data dir is on a read-only file system",
        "Use a --data-dir that can be written to.",
    ),
    (
        "Permission denied",
        "Postgres may not read or write its data dir",
        "Use a --data-dir of your own, or give this one back to its owner.",
    ),
)


def unavailable(what: str, said: str, hint: str) -> PostgresUnavailable:
    """The error for `what` that failed while the server said `said`; a cause we know gets its own hint.

    >>> unavailable("initdb failed", "could not write: No space left on device", "See the log.").message
    'initdb failed: the disk is full'
    """
    for words, cause, remedy in KNOWN:
        if words in said:
            return PostgresUnavailable(f"{what}: {cause}", remedy)
    return PostgresUnavailable(f"{what}: {_telling_line(said)}", hint)


def _telling_line(said: str) -> str:
    """The last complaint, without its time and process number; else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    for line in reversed(lines):
        for severity in ("FATAL:", "PANIC:", "error:"):
            if severity in line:
                return line.partition(severity)[2].strip()
    return lines[-1]
