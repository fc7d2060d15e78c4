"""Suspended she is stood down; opting out is her decline of an open alert; deleted, nothing leads to her."""

import asyncio
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from town import Town, a_policy, some_medics, states, until

from dispatch.core import commands as c
from dispatch.core.evolve import evolve_all
from dispatch.records import Fix
from dispatch.store import medics


@pytest.fixture
async def record(town):
    await town.add(some_medics(5))
    record = await town.report()
    await town.quiet()
    return record


async def changed(town: Town, medic_id: str, **about: Any) -> None:
    before = town.roster.get(medic_id)
    after = await medics.change(town.pool, medic_id, lambda medic: replace(medic, **about))
    await town.dispatcher.medic_changed(after, before=before)


async def test_suspended_she_is_stood_down_and_replaced(town, record):
    await changed(town, "medic-000", suspended=True)
    now = await town.now(record)
    assert states(now)[0] == "stood_down"
    assert now.state.alerts[0].reason == "suspended"
    assert [asked.medic_id for asked in now.asked][3:] == ["medic-003"]


async def test_suspended_she_can_not_accept_an_alert_that_expired_before(town, record):
    await town.pass_time(record.policy.answer_within_s + 1)
    assert states(await town.now(record))[0] == "expired"
    assert len(await town.dispatcher.alerts_of("medic-000")) == 1
    await changed(town, "medic-000", suspended=True)
    with pytest.raises(c.Refused, match="ended"):
        await town.answer(record, 1, "accept")
    assert await town.dispatcher.alerts_of("medic-000") == [], "nor is it hers to see where it is by then"


async def test_opting_out_declines_an_open_alert_and_leaves_an_accepted_one(town, record):
    await town.answer(record, 2, "accept")
    await changed(town, "medic-001", available=False)
    assert states(await town.now(record))[1] == "accepted"
    other = await town.report("other")
    assert other.asked
    who = other.asked[0].medic_id
    await changed(town, who, available=False)
    assert states(await town.now(other))[0] == "declined"
    assert [told["state"] for told in town.devices[who].of("answered")] == ["declined"]


async def test_suspended_while_she_is_being_asked_she_is_stood_down_too(town):
    await town.add(some_medics(1))
    async with town.pool.acquire() as connection, connection.transaction():
        await connection.execute("select from control_room where id = $1 for update", town.room_id)
        report = asyncio.create_task(town.report())
        await asyncio.sleep(0.05)
        change = asyncio.create_task(changed(town, "medic-000", suspended=True))
        await asyncio.sleep(0.1)
        assert not change.done()
    record = await report
    await change
    assert states(await town.now(record)) == ["stood_down"]


async def test_deleted_she_has_declined_and_is_nowhere_any_more(town, record):
    await town.answer(record, 1, "accept")
    await town.dispatcher.moved(Fix("medic-000", 52.09, 5.12, 200, town.clock.now_ms()))
    await town.dispatcher.medic_deleted("medic-000")
    await town.quiet()
    await town.dispatcher.positions.flush()
    now = await town.now(record)
    assert states(now)[0] == "declined"
    assert "medic-000" not in {asked.medic_id for asked in now.asked}
    assert town.roster.get("medic-000") is None
    assert town.roster.held("medic-000") == ()
    assert town.devices["medic-000"].closed == 4401
    assert await town.dispatcher.alerts_of("medic-000") == []
    assert await town.stored(record) == now
    assert evolve_all(None, await town.events(record)) == now.state
    for table in ("alert", "medic_position", "medic"):
        column = "id" if table == "medic" else "medic_id"
        assert not await town.pool.fetchval(f"select true from {table} where {column} = 'medic-000'")


async def test_deleted_elsewhere_her_device_shows_nothing_before_that_is_heard_of_here(town, record):
    assert len(await town.dispatcher.alerts_of("medic-000")) == 1
    await medics.delete(town.pool, "medic-000")
    await town.dispatcher.decisions.catch_up(record.id)
    assert town.roster.get("medic-000") is not None
    assert await town.dispatcher.alerts_of("medic-000") == []


async def test_who_could_not_be_deleted_is_asked_as_before(town, monkeypatch):
    """She is told so (503), and may never try again."""
    await town.add(some_medics(1))
    with monkeypatch.context() as away:
        away.setattr(medics, "delete", unreachable)
        with pytest.raises(ConnectionError):
            await town.dispatcher.delete_medic("medic-000")
    record = await town.report()
    assert [asked.medic_id for asked in record.asked] == ["medic-000"]


async def unreachable(*_):
    raise ConnectionError


async def test_after_a_deletion_the_incident_goes_on_with_the_others(town, record):
    await town.dispatcher.medic_deleted("medic-000")
    assert await town.answer(record, 2, "decline") == "declined"
    await town.quiet()
    now = await town.now(record)
    assert [asked.medic_id for asked in now.asked] == ["medic-001", "medic-002", "medic-003", "medic-004"]
    assert await town.stored(record) == now
    assert await town.answer(record, 5, "accept") == "accepted"


async def test_who_is_there_has_arrived_without_pressing(town, record):
    await town.answer(record, 1, "accept")
    await town.dispatcher.moved(Fix("medic-000", 52.0901, 5.12, 200, town.clock.now_ms()))
    await town.quiet()
    assert states(await town.now(record))[0] == "accepted", "not known well enough where she is"
    await town.pass_time(1)
    await town.dispatcher.moved(Fix("medic-000", 52.0901, 5.12, 20, town.clock.now_ms()))
    await town.quiet()
    assert states(await town.now(record))[0] == "arrived"


async def test_positions_are_saved_and_the_newest_counts(town):
    await town.add(some_medics(2))
    at = town.clock.now_ms()
    await town.dispatcher.moved(Fix("medic-000", 52.1, 5.1, 10, at - 5))
    await town.dispatcher.moved(Fix("medic-000", 52.2, 5.1, 10, at))
    await town.dispatcher.moved(Fix("medic-000", 52.3, 5.1, 10, at - 9))
    await town.dispatcher.close()
    rows = await town.pool.fetch("select medic_id, lat, at from medic_position")
    assert [tuple(row) for row in rows] == [("medic-000", 52.2, at)]


async def test_a_node_that_died_before_it_ended_them_ends_them_when_it_is_back(start_town, database_url):
    three = {"trauma": a_policy(wanted=3, waves=[(0, 3)])}
    town = await start_town(policies=three)
    await town.add(some_medics(3))
    record = await town.report()
    await town.answer(record, 2, "accept")
    await town.answer(record, 3, "accept")
    await town.kill()
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        for medic_id, about in (
            ("medic-000", "available"),
            ("medic-001", "suspended"),
            ("medic-002", "available"),
        ):
            left = {about: about == "suspended"}
            await medics.change(pool, medic_id, lambda medic, left=left: replace(medic, **left))
    back = await start_town(policies=three)
    await back.quiet()
    now = await back.now(record)
    assert states(now) == ["declined", "stood_down", "accepted"]
    assert now.state.alerts[1].reason == "suspended"


async def test_deleted_elsewhere_while_she_is_asked_here_she_is_nowhere_any_more(start_town):
    a = await start_town()
    await a.add(some_medics(2), connected=False)
    b = await start_town(node_id="node-b", deaf=True)
    device = b.connect("medic-000")
    b.connect("medic-001")
    await a.dispatcher.medic_deleted("medic-000")
    record = await b.report()  # it has not heard of it
    assert len(record.asked) == 2
    await b.node.following.look()
    await until(lambda: b.roster.get("medic-000") is None)
    assert device.closed == 4401
    assert states(await b.stored(record))[0] == "declined"
    assert "medic-001" in await what_is_kept(b.pool)
    assert "medic-000" not in await what_is_kept(b.pool)


async def what_is_kept(pool: asyncpg.Pool) -> str:
    """All that alerts and decisions hold of medics."""
    rows = await pool.fetch("select medic_id from alert union all select body from decision_input")
    return " ".join(str(row[0]) for row in rows)
