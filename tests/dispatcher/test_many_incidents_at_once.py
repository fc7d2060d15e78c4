"""Fifty incidents at once among two thousand medics: no deadlock, all committed."""

import asyncio

from town import a_policy, some_medics

from dispatch.records import Record


async def test_fifty_incidents_are_all_opened_and_have_their_medics(start_town):
    town = await start_town(policies={"cardiac_arrest": a_policy("cardiac_arrest", waves=[(0, 10)])})
    await town.add(some_medics(2000, nearest_m=1, step_m=0.5))
    kinds = ["cardiac_arrest", "trauma", "other", "traffic_accident", "unconscious"]
    async with asyncio.timeout(30):
        records: list[Record] = await asyncio.gather(
            *(town.report(kinds[i % 5], north_m=i * 20) for i in range(50))
        )
        await town.quiet()
    assert len({record.id for record in records}) == 50
    for record in records:
        now = await town.now(record)
        assert await town.stored(record) == now
        wanted = {"cardiac_arrest": 10, "trauma": 3, "other": 3, "traffic_accident": 5, "unconscious": 5}
        assert sum(alert.open for alert in now.state.alerts) == wanted[record.state.kind]
    held = await town.pool.fetch("select medic_id from alert where holds is not null")
    assert len({row["medic_id"] for row in held}) == len(held) == 10 * (10 + 3 + 3 + 5 + 5)
