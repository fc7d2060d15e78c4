"""One claim a medic over all real incidents, settled by the database between nodes."""

import asyncio

import pytest
from made import (
    OTHER_ROOM,
    accepted,
    answered,
    closed,
    delivered,
    expired,
    opening,
    stood_down,
    then,
    together,
)

from dispatch.store import appender, incidents
from dispatch.store.appends import ClaimConflict


async def held(db):
    rows = await db.fetch(
        "select medic_id, incident_id, holds from alert where holds is not null order by 1, 2"
    )
    return [tuple(row) for row in rows]


async def test_who_is_asked_elsewhere_is_refused_with_where(appender, db):
    await appender.append(opening("i1", ["anna", "bob", "cleo"]))
    with pytest.raises(ClaimConflict) as conflict:
        await appender.append(opening("i2", ["cleo", "dan", "anna"]))
    assert conflict.value.medic_ids == {"anna", "cleo"}
    claims = {(claim.medic_id, claim.incident_id, claim.n, claim.engaged) for claim in conflict.value.claims}
    assert claims == {("anna", "i1", 1, False), ("cleo", "i1", 3, False)}
    assert {claim.priority for claim in conflict.value.claims} == {1}
    assert await incidents.load(db, "i2") is None


async def test_who_is_engaged_elsewhere_is_refused(appender):
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    await appender.append(then(opened, accepted(1)))
    with pytest.raises(ClaimConflict) as conflict:
        await appender.append(opening("i2", ["anna"]))
    assert [claim.engaged for claim in conflict.value.claims] == [True]


async def test_a_late_accept_is_refused_while_she_holds_another(appender):
    opened = opening("i1", ["anna"])
    lapsed = then(opened, expired(1))
    await appender.append(opened)
    await appender.append(lapsed)
    await appender.append(opening("i2", ["anna"]))
    with pytest.raises(ClaimConflict) as conflict:
        await appender.append(then(lapsed, accepted(1)))
    assert [(claim.medic_id, claim.incident_id) for claim in conflict.value.claims] == [("anna", "i2")]


@pytest.mark.parametrize(
    "ends",
    [
        [expired(1)],
        [stood_down(1)],
        [answered(1, "decline")],
        [accepted(1), answered(1, "finished")],
        [answered(1, "arrived"), answered(1, "finished"), closed()],
    ],
)
@pytest.mark.parametrize("apart", [True, False])
async def test_she_is_free_once_it_has_ended(appender, db, ends, apart):
    work = opening("i1", ["anna"])
    await appender.append(work)
    for happened in [[end] for end in ends] if apart else [ends]:
        work = then(work, *happened)
        await appender.append(work)
    await appender.append(opening("i2", ["anna"]))
    assert await held(db) == [("anna", "i2", "open")]


async def test_receipts_keep_her_claim(appender, db):
    opened = opening("i1", ["anna"])
    await appender.append(opened)
    await appender.append(then(opened, delivered(1)))
    assert await held(db) == [("anna", "i1", "open")]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
async def test_one_decision_takes_her_from_one_incident_to_another(appender, db, order):
    less_urgent = opening("i1", ["anna", "bob"])
    await appender.append(less_urgent)
    works = [then(less_urgent, stood_down(1)), opening("i2", ["anna"], room=OTHER_ROOM)]
    assert await appender.append(together(*works[order])) == {"i1": 6, "i2": 3}
    assert await held(db) == [("anna", "i2", "open"), ("bob", "i1", "open")]


async def test_her_accept_ends_what_else_she_has_in_the_same_decision(appender, db):
    old = opening("i1", ["anna"])
    lapsed = then(old, expired(1))
    await appender.append(old)
    await appender.append(lapsed)
    new = opening("i2", ["anna"])
    await appender.append(new)
    await appender.append(together(then(lapsed, accepted(1)), then(new, stood_down(1))))
    assert await held(db) == [("anna", "i1", "engaged")]


async def test_two_decisions_in_one_commit_hand_her_over(appender, db):
    old = opening("i1", ["anna"])
    await appender.append(old)
    await asyncio.gather(
        appender.append(opening("i0", ["zoe"])),
        appender.append(opening("i2", ["anna"])),
        appender.append(then(old, stood_down(1))),
    )
    assert await held(db) == [("anna", "i2", "open"), ("zoe", "i0", "open")]


async def test_a_drill_holds_nobody_back(appender, db):
    await appender.append(opening("i1", ["anna"]))
    await appender.append(opening("i2", ["anna"], drill=True))
    await appender.append(opening("i3", ["anna"], drill=True))
    assert len(await held(db)) == 3


async def test_nodes_that_want_the_same_medics_do_not_wait_for_each_other(node, db, monkeypatch):
    """In another order than by medic, two such inserts would each hold what the other waits for."""
    monkeypatch.setattr(appender, "AGAIN_MAX", 1)  # a deadlock is an error here, and not tried again
    medics = [f"m{i:02d}" for i in range(20)]
    nodes = [await node(f"node-{i}") for i in range(4)]
    rooms = [f"r{i}" for i in range(4)]
    await db.executemany("insert into control_room (id, name) values ($1, $1)", [(room,) for room in rooms])
    for turn in range(10):
        works = [
            opening(f"i{turn}-{i}", medics if (i + turn) % 2 else medics[::-1], room=room)
            for i, room in enumerate(rooms)
        ]
        results = await asyncio.gather(
            *(writer.append(work) for writer, work in zip(nodes, works, strict=True)),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, ClaimConflict)]
        assert len(refused) == 3
        assert all(conflict.medic_ids == set(medics) for conflict in refused)
        (won,) = [work for work, result in zip(works, results, strict=True) if isinstance(result, dict)]
        await nodes[0].append(then(won, *(expired(n) for n in range(1, 21))))
