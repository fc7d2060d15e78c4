"""A control room's feed: every event once, in order, without gaps."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from dispatch.core.events import AnyEvent
from dispatch.store.statements import Database, statements

_SQL = statements("feed")

decode_events = msgspec.json.Decoder(list[AnyEvent]).decode


class Written(msgspec.Struct, frozen=True):
    """An event as it was written: its place in its control room's feed, and in its incident."""

    feed_pos: int
    incident_id: str
    seq: int
    event: AnyEvent


async def read(db: Database, control_room_id: str, *, after: int, limit: int) -> list[Written]:
    """The next events after a feed position, at most ``limit``; empty at the feed's end."""
    rows = await db.fetch(_SQL["read"], control_room_id, after, limit)
    return list(islice((written for written in written_in(rows) if written.feed_pos > after), limit))


async def decided(db: Database, control_room_id: str, *, after: int, limit: int) -> list[tuple[str, int]]:
    """The next decisions after a feed position: which incident each was about, and where it ends."""
    return [tuple(row) for row in await db.fetch(_SQL["decided"], control_room_id, after, limit)]


async def position(db: Database, control_room_id: str) -> int:
    """The feed position of the control room's last event; 0 before the first."""
    return await db.fetchval(_SQL["position"], control_room_id) or 0


def written_in(decisions: Iterable[Any]) -> Iterator[Written]:
    """The events of rows of ``decision``, one by one."""
    for row in decisions:
        before = row["feed_pos"] - row["count"]
        for i, event in enumerate(decode_events(row["events"])):
            yield Written(before + i + 1, row["incident_id"], row["seq"] + i, event)
