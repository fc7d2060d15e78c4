"""Room on the disk of the embedded database."""

import shutil
from pathlib import Path

from dispatch.check import Check

FREE_BYTES_MIN = 2**30
FREE_SHARE_MIN = 0.02
FULL_BYTES = 64 * 2**20
"""With less the database may be unable to write a segment of its log, and stops."""


def disk(data_dir: Path) -> Check:
    """Nearly full is told; full, no incident is taken any more."""
    usage = shutil.disk_usage(data_dir)
    ok = usage.free >= max(FREE_BYTES_MIN, FREE_SHARE_MIN * usage.total)
    hint = "" if ok else f"Make room on the disk of {data_dir}, or move the data dir to a larger one."
    detail = f"{usage.free / 2**30:.2f} GiB free for the database"
    return Check("disk", ok, detail, hint, needed=usage.free < FULL_BYTES)
