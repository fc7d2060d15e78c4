"""What a node that starts takes up from the database: at once what is owed, and then whom nobody has told.

What has ended and is told to everybody is not read at all: should anybody ask, it is loaded then. So a start
takes as long as what is left to do, however many incidents the last hour had.
"""

import asyncio
from collections.abc import Callable

import asyncpg

from dispatch import fault_points, logs
from dispatch.deciding.decisions import Decisions
from dispatch.nodes.membership import Membership
from dispatch.store import incidents
from dispatch.store.trouble import DATABASE_TROUBLE

log = logs.logger(__name__)

LOADED_AT_ONCE = 100
TAKEN_AT_ONCE = 500
UNTOLD_AT_ONCE = 10
"""Few, so that decisions and sockets hardly wait for it."""
DEVICES_FIRST_S_MAX = 10.0
"""From the start on. Where they go on coming after it, what has ended is loaded beside them."""
LOOK_S = 0.05
AGAIN_S = 1.0


async def take_up_owed(pool: asyncpg.Pool, membership: Membership, decisions: Decisions) -> None:
    """Live incidents, sends without an outcome: those whose node is dead are this one's from here on."""
    while len(await incidents.take_over(pool, membership.id, TAKEN_AT_ONCE)) == TAKEN_AT_ONCE:
        pass
    owed = await incidents.owed(pool)
    for at in range(0, len(owed), LOADED_AT_ONCE):
        for record in await incidents.load_many(pool, owed[at : at + LOADED_AT_ONCE]):
            decisions.adopt(record)
            fault_points.reached("loading")


async def take_up_untold(
    pool: asyncpg.Pool, decisions: Decisions, since: int, devices_come: Callable[[], bool]
) -> None:
    """What ended at ``since`` (ms) or later and a device may come back for, the last to end first.

    Who is back already is told as her incident is loaded. While ``devices_come`` back, as they all do after a
    start, nothing is loaded: what they are to be told of live incidents comes first. Tried again through the
    database's troubles.
    """
    untold: list[str] | None = None
    loop = asyncio.get_running_loop()
    devices_first_until = loop.time() + DEVICES_FIRST_S_MAX
    while untold is None or untold:
        if devices_come() and loop.time() < devices_first_until:
            await asyncio.sleep(LOOK_S)
            continue
        try:
            if untold is None:
                untold = await incidents.untold(pool, since)
            for record in await incidents.load_many(pool, untold[:UNTOLD_AT_ONCE]):
                decisions.adopt(record)
            del untold[:UNTOLD_AT_ONCE]
        except DATABASE_TROUBLE as error:
            log.warning("incidents that ended not loaded", error=logs.describe(error))
            await asyncio.sleep(AGAIN_S)
