"""Room for thousands of sockets: many systems begin with 1,024 open files a process, macOS with 256."""

import resource

BESIDES_SOCKETS = 256
"""Files, pipes and connections that a process has open beside its medics' sockets."""


class TooFewOpenFiles(Exception):
    """The system does not allow as many open files as there are to be sockets."""


def make_room(sockets: int) -> None:
    """Raise this process's limit, which those it starts inherit. Raises `TooFewOpenFiles`."""
    needed = sockets + BESIDES_SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):
        raise TooFewOpenFiles(
            f"{sockets:,} sockets need {needed:,} open files, and this system allows {hard:,}; "
            "use fewer --medics, or raise the limit (ulimit -n)"
        ) from None
