"""Over all real incidents a medic has one open alert, and is engaged on one at most."""

import asyncio
import random
from collections import Counter

import pytest
from town import Town, a_policy, asked_by, some_medics

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.evolve import evolve_all
from dispatch.records import Change, Details, Position, Record

URGENT = {"cardiac_arrest": a_policy("cardiac_arrest", waves=[(0, 3)], wanted=1)}


async def test_a_more_urgent_incident_takes_her_in_the_same_commit(start_town):
    town = await start_town(policies=URGENT)
    await town.add(some_medics(6))
    less = await town.report("trauma")
    more = await town.report("cardiac_arrest")
    assert {asked.medic_id for asked in more.asked} == {"medic-000", "medic-001", "medic-002"}
    now = asked_by(await town.now(less))
    assert [now[f"medic-{i:03}"].reason for i in range(3)] == ["engaged"] * 3
    assert [now[f"medic-{i:03}"].open for i in range(3, 6)] == [True] * 3, "replaced at once"
    appends = "select append_id from decision where incident_id = $1 order by seq"
    # What was sent is told in decisions that may have followed by now.
    opening = await town.pool.fetchval(appends, more.id)
    assert opening in [row["append_id"] for row in await town.pool.fetch(appends, less.id)][1:]
    device = town.devices["medic-000"]
    assert device.of("alert")[-1]["incident"]["id"] == more.id
    assert device.of("stand_down")[-1]["alert_id"] == f"{less.id}-1"


async def test_one_as_urgent_does_not_take_her(town):
    await town.add(some_medics(4))
    await town.report("trauma")
    second = await town.report("trauma")
    assert [asked.medic_id for asked in second.asked] == ["medic-003"]


async def test_how_urgent_it_is_now_decides_whether_another_takes_her(town):
    """A correction that raises it holds her; one of something else leaves that as it was."""
    await town.add(some_medics(1))
    less = await town.report("other")
    assert [asked.medic_id for asked in less.asked] == ["medic-000"]
    nowhere = Details(Position(0.0, 0.0))  # not named in the fields, and so not taken over
    raised = Change(fields=("priority",), details=nowhere, priority=1)
    await town.dispatcher.update(less.id, "key", raised)
    expected = Change(fields=("ambulance_due_at",), details=nowhere, ambulance_due_at=town.clock.now_ms() + 9)
    await town.dispatcher.update(less.id, "key", expected)
    assert (await town.report("trauma")).asked == ()
    lowered = Change(fields=("priority",), details=nowhere, priority=9)
    await town.dispatcher.update(less.id, "key", lowered)
    assert [asked.medic_id for asked in (await town.report("trauma")).asked] == ["medic-000"]


async def test_taking_reaches_through_several_incidents(start_town):
    town = await start_town(policies=URGENT)
    await town.add(some_medics(7))
    other = await town.report("other")  # priority 5: 0, 1, 2
    trauma = await town.report("trauma")  # 3: takes 0, 1, 2; other gets 3, 4, 5
    arrest = await town.report("cardiac_arrest")  # 1: takes 0, 1, 2; trauma takes 3, 4, 5; other gets 6
    found = {
        record.id: {medic_id for medic_id, alert in asked_by(await town.now(record)).items() if alert.open}
        for record in (other, trauma, arrest)
    }
    assert found[arrest.id] == {"medic-000", "medic-001", "medic-002"}
    assert found[trauma.id] == {"medic-003", "medic-004", "medic-005"}
    assert found[other.id] == {"medic-006"}


async def test_a_drill_never_holds_a_medic_from_a_real_incident(town):
    await town.add(some_medics(3))
    drill = await town.report("cardiac_arrest", drill=True)
    await town.answer(drill, 1, "accept")
    real = await town.report("other")
    assert {asked.medic_id for asked in real.asked} == {"medic-000", "medic-001", "medic-002"}
    assert asked_by(await town.now(drill))["medic-001"].reason == "engaged"
    n = next(asked.n for asked in real.asked if asked.medic_id == "medic-000")
    assert await town.answer(real, n, "accept") == "accepted"
    assert asked_by(await town.now(drill))["medic-000"].reason == "engaged"


async def test_a_drill_takes_nobody_from_a_real_incident(town):
    await town.add(some_medics(1))
    drill = await town.report(drill=True)
    await town.pass_time(drill.policy.answer_within_s + 1)
    real = await town.report()
    assert real.asked
    assert await town.answer(drill, 1, "accept") == "accepted"
    assert (await town.now(real)).state.alert(1).open


async def test_an_accept_ends_her_other_alert_and_it_is_replaced(start_town):
    policies = {
        "trauma": a_policy(waves=[(0, 1)], answer_within_s=30),
        "other": a_policy("other", waves=[(0, 1)]),
    }
    town = await start_town(policies=policies)
    await town.add(some_medics(3))
    first = await town.report("trauma")
    await town.pass_time(31)  # expired: no longer held, but her button works
    assert asked_by(await town.now(first))["medic-000"].state == "expired"
    second = await town.report("other")
    assert [asked.medic_id for asked in second.asked] == ["medic-000"]
    assert await town.answer(first, 1, "accept") == "accepted"
    now = asked_by(await town.now(second))
    assert now["medic-000"].reason == "engaged"
    assert now["medic-002"].open
    assert town.devices["medic-000"].of("stand_down")[-1]["reason"] == "engaged"


async def test_engaged_elsewhere_is_refused(start_town):
    town = await start_town(policies={"trauma": a_policy(waves=[(0, 1)], answer_within_s=30)})
    await town.add(some_medics(1))
    first = await town.report("trauma")
    await town.pass_time(31)
    second = await town.report("trauma")
    await town.answer(second, 1, "accept")
    with pytest.raises(c.Refused, match="engaged"):
        await town.answer(first, 1, "accept")


async def test_of_two_late_accepts_at_once_one_is_taken(start_town):
    town = await start_town(policies={"trauma": a_policy(waves=[(0, 1)], answer_within_s=30)})
    await town.add(some_medics(1))
    records = []
    for _ in range(2):
        records.append(await town.report("trauma"))
        await town.pass_time(31)
    answers = await asyncio.gather(
        *(town.answer(record, 1, "accept") for record in records), return_exceptions=True
    )
    assert sorted(map(str, answers)) == ["accepted", "engaged"]


@pytest.mark.parametrize("seed", range(3))
async def test_a_crowded_place_with_random_answers_shares_nobody(start_town, seed):
    """Twenty-four incidents at once among sixty medics who answer as they like."""
    chance = random.Random(seed)
    town = await start_town(policies=URGENT)
    await town.add(some_medics(60, step_m=5))
    kinds = ["cardiac_arrest", "traffic_accident", "trauma", "other"]
    records = await asyncio.gather(
        *(
            town.report(chance.choice(kinds), north_m=chance.uniform(0, 300), drill=chance.random() < 0.2)
            for _ in range(24)
        )
    )
    for _ in range(4):
        await asyncio.gather(*(_answer_somehow(town, record, chance) for record in records))
        await town.pass_time(chance.choice([1, 10, 30, 61]))
    await _ensure_nobody_is_shared(town, records)


async def _answer_somehow(town: Town, record: Record, chance: random.Random) -> None:
    for asked in (await town.now(record)).asked:
        answer = chance.choice(["accept", "decline", "arrived", "finished", "", "", "", ""])
        if answer:
            try:
                await town.dispatcher.answer(asked.medic_id, f"{record.id}-{asked.n}", answer, "websocket")
            except c.Refused:
                continue


async def _ensure_nobody_is_shared(town: Town, records: list[Record]) -> None:
    """By the incidents in memory, by what their events tell in the order of the feed, and by the rows."""
    now = [await town.now(record) for record in records]
    for record in now:
        assert evolve_all(None, await town.events(record)) == record.state
    held = Counter(
        asked.medic_id
        for record in now
        if not record.state.drill
        for asked in record.asked
        if record.state.alert(asked.n).open or record.state.alert(asked.n).engaged
    )
    assert held, "somebody is asked"
    assert max(held.values()) == 1
    rows = await town.pool.fetch("select medic_id from alert where holds is not null and not drill")
    assert Counter(row["medic_id"] for row in rows) == held
    for medic_id, count in held.items():
        assert sum(not one.drill for one in town.roster.held(medic_id)) == count
    requested = [event for record in now for event in await town.events(record)]
    assert sum(isinstance(event, e.AlertRequested) for event in requested) == sum(
        len(record.asked) for record in now
    )
