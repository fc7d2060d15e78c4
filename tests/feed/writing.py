"""What nodes write in these tests: incidents opened, gone on with, and decided two at a time."""

import asyncio
from random import Random
from typing import Any

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.evolve import evolve_all
from dispatch.core.policy import digest, shipped
from dispatch.records import Details, Position
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, SeqConflict, Stream

ROOMS = tuple(f"room-{i}" for i in range(6))
POLICY = shipped()["other"]
AT = 1_773_144_000_000
BY: dict[str, Any] = {"at": AT, "by": "control_room", "key": "key"}


def opening(incident_id: str, room: str, events: int) -> Append:
    """An incident opened, with so many events in its first decision."""
    opened = e.IncidentOpened(
        **BY,
        reference=incident_id,
        kind="other",
        priority=5,
        setting="public",
        drill=False,
        hazard="none",
        policy=digest(POLICY),
        called_at=AT,
        ambulance_due_at=None,
    )
    happened = (opened, *(e.MoreRequested(**BY, count=1) for _ in range(events - 1)))
    state = evolve_all(None, happened)
    return Append(
        (Stream(incident_id, room, happened, state, None, (), Details(Position(53.3, -6.2)), None),)
    )


def going_on(work: Append, events: int) -> Append:
    """So many events more of the one incident of ``work``."""
    (before,) = work.streams
    happened = tuple(e.MoreRequested(**BY, count=1) for _ in range(events))
    state = evolve_all(before.state, happened)
    return Append((replace(before, events=happened, state=state, details=None),))


async def write(appender: Appender, name: str, draw: Random, incidents: int) -> None:
    """One writer of a node: opens incidents in any room, goes on with them, and is sometimes too late.

    Now and then a decision touches two incidents, of two control rooms.
    """
    for i in range(incidents):
        one = opening(f"{name}-{i}", draw.choice(ROOMS), draw.randint(1, 4))
        await appender.append(one)
        once, again = going_on(one, draw.randint(1, 3)), going_on(one, 1)
        results = await asyncio.gather(appender.append(once), appender.append(again), return_exceptions=True)
        assert sum(isinstance(result, SeqConflict) for result in results) == 1
        if draw.random() < 0.3:
            pair = [opening(f"{name}-{i}-{half}", draw.choice(ROOMS), 2) for half in "ab"]
            await appender.append(Append(tuple(stream for work in pair for stream in work.streams)))
