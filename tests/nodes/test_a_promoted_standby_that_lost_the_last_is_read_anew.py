"""A failover to a standby that had not yet received the last commits: numbers and positions are given anew.

What was lost is lost. What is decided from there on reaches every node, though it has known greater numbers.
"""

from collections.abc import Callable

import asyncpg
from msgspec.structs import replace

from dispatch.store import medics
from tests.dispatcher.town import Town, until
from tests.nodes.conftest import two


async def test_an_alert_decided_elsewhere_rings_here_and_the_lost_is_forgotten(
    promote: Callable[[], None], start_town: Callable[..., object], pool: asyncpg.Pool
) -> None:
    a, b = await two(start_town)
    before = await pool.fetchrow("select r.id, r.feed_pos, m.change_no from control_room r, roster m")
    lost = [await a.report() for _ in range(3)]
    await until(lambda: all(known(b, one.id) for one in lost))
    await suspend(pool, "medic-000")
    await until(lambda: suspended(b, "medic-000") and suspended(a, "medic-000"))
    await lose(pool, before, [one.id for one in lost])
    await suspend(pool, "medic-001")  # takes the number of the change that was lost
    promote()
    await until(lambda: not suspended(b, "medic-000") and suspended(b, "medic-001"))
    await until(lambda: not any(known(town, one.id) for one in lost for town in (a, b)))
    device = b.connect("medic-000")
    await until(lambda: a.roster.counts().connected == 1)
    record = await a.report()
    await until(lambda: device.of("alert"))
    assert [frame["alert_id"] for frame in device.of("alert")] == [f"{record.id}-1"]


def known(town: Town, incident_id: str) -> bool:
    return town.dispatcher.decisions.memory.get(incident_id) is not None


def suspended(town: Town, medic_id: str) -> bool:
    medic = town.roster.get(medic_id)
    return medic is not None and medic.suspended


async def suspend(pool: asyncpg.Pool, medic_id: str) -> None:
    assert await medics.change(pool, medic_id, lambda medic: replace(medic, suspended=True))


async def lose(pool: asyncpg.Pool, before: asyncpg.Record, incident_ids: list[str]) -> None:
    """As if it had never come to the standby."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update control_room set feed_pos = $1", before["feed_pos"])
        await connection.execute("update roster set change_no = $1", before["change_no"])
        await connection.execute("update medic set suspended = false, change_no = 1 where id = 'medic-000'")
        for table, column in (("incident", "id"), *((name, "incident_id") for name in OF_INCIDENTS)):
            await connection.execute(f"delete from {table} where {column} = any($1)", incident_ids)


OF_INCIDENTS = ("decision", "decision_input", "incident_details", "alert", "notification")
