"""The only write path of events: all decisions that became ready while the last commit was in flight, in one.

A batch is one call of the database function ``append`` and one commit. What the database refuses is tried
again singly, so that one bad decision fails alone. Where the connection is lost, nobody knows whether the
commit was reached: it is read back by ``append_id`` before anything is written again.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from typing import Any

import asyncpg

from dispatch.store.append_rows import Rows, arguments, rows_of
from dispatch.store.appends import (
    Append,
    Claim,
    ClaimConflict,
    Conflict,
    KeyTaken,
    ReferenceTaken,
    SeqConflict,
    Unavailable,
)
from dispatch.store.statements import statements

_SQL = statements("appender")

APPENDS_A_BATCH_MAX = 64
QUEUE_MAX = 1024
PATIENCE_S = 10.0
"""How long an append waits for a database that went away before it is given up as ``Unavailable``."""
WRITE_S_MAX = 10.0
AGAIN_MAX = 10
"""How often a batch is tried again after a deadlock, or after a claim in the way that has since gone."""
CLAIM_RULE = "alert_one_claim_a_medic"


class Appender:
    """Writes appends in the order in which they come. ``node_id`` holds the lease of the notifications it requests."""

    def __init__(self, pool: asyncpg.Pool, *, node_id: str, lease_ms: int = 30_000) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Begins to write; needs a running loop."""

    async def close(self) -> None:
        """Takes no more appends, writes those taken, and gives its connection back."""

    async def append(self, work: Append) -> dict[str, int]:
        """Committed when it returns: the feed position of each incident's last event.

        Raises SeqConflict, ClaimConflict, KeyTaken or ReferenceTaken when refused, Unavailable when not known.
        Waits while ``QUEUE_MAX`` appends are waiting.
        """
        raise NotImplementedError
