"""Medics' rows, and the number by which nodes follow what changes."""

import asyncio

import pytest
from made import AT, a_medic
from msgspec.structs import replace

from dispatch.records import Fix, Hours, Place
from dispatch.roster.roster import Roster
from dispatch.service.medics_follower import MedicsFollower
from dispatch.store import medics, positions
from dispatch.store.medics import PhoneTaken

RICH = a_medic(
    "rich",
    suspended=True,
    certificate_until=None,
    registered_by=None,
    time_zone="Europe/Dublin",
    quiet_hours=(Hours((1, 7), "22:00", "07:00"),),
    places=(Place("home", 52.1, 5.1, (Hours((6,), "00:00", "23:59"),)), Place("wörk", -33.5, 179.9)),
    channels=(),
    blocked=("sms",),
    skills=(),
)


async def test_as_they_were_put(db):
    await medics.create(db, [RICH, a_medic("anna")])
    assert await medics.get(db, "rich") == RICH
    assert await medics.by_phone(db, RICH.phone) == RICH
    assert await medics.get(db, "nobody") is None
    assert await medics.by_phone(db, "+31000") is None


async def test_all_or_none_where_a_phone_is_taken(db):
    await medics.create(db, [a_medic("anna", phone="+311")])
    with pytest.raises(PhoneTaken) as taken:
        await medics.create(db, [a_medic("bob", phone="+312"), a_medic("cleo", phone="+311")])
    assert taken.value.phones == ("+311",)
    assert "+311" not in str(taken.value)
    assert await medics.get(db, "bob") is None
    with pytest.raises(PhoneTaken) as taken:
        await medics.create(db, [a_medic("bob", phone="+313"), a_medic("cleo", phone="+313")])
    assert taken.value.phones == ("+313",)


async def test_two_changes_at_once_are_both_kept(db):
    await medics.create(db, [a_medic("anna")])
    await asyncio.gather(
        medics.change(db, "anna", lambda medic: replace(medic, suspended=True)),
        medics.change(db, "anna", lambda medic: replace(medic, drills=True)),
        medics.change(db, "anna", lambda medic: replace(medic, blocked=("sms",))),
    )
    assert await medics.get(db, "anna") == replace(
        a_medic("anna"), suspended=True, drills=True, blocked=("sms",)
    )
    assert await medics.change(db, "nobody", lambda medic: medic) is None


async def test_a_change_to_anothers_phone_changes_nothing(db):
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    with pytest.raises(PhoneTaken):
        await medics.change(db, "anna", lambda medic: replace(medic, phone=a_medic("bob").phone))
    assert await medics.get(db, "anna") == a_medic("anna")


async def test_pages(db):
    await medics.create(db, [a_medic(f"m{i}") for i in range(5)])
    first = await medics.list_page(db, limit=3)
    assert [medic.id for medic in first.items] == ["m0", "m1", "m2"]
    second = await medics.list_page(db, limit=3, cursor=first.next_cursor)
    assert [medic.id for medic in second.items] == ["m3", "m4"]
    assert second.next_cursor is None


async def test_a_follower_misses_no_change(db):
    """Under writers at once: every change that a number covers is there when the number is."""
    await medics.create(db, [a_medic(f"m{i}") for i in range(4)])
    mirror, seen = {}, 0
    done = asyncio.Event()

    async def write(i):
        for turn in range(15):
            await medics.change(db, f"m{i}", lambda medic, turn=turn: replace(medic, name=str(turn)))
        if i == 0:
            await medics.delete(db, "m0")

    async def follow():
        nonlocal seen
        while not done.is_set():
            await catch_up()

    async def catch_up():
        nonlocal seen
        changes = await medics.changes_since(db, seen)
        assert changes.change_no >= seen
        mirror.update({medic.id: medic for medic in changes.medics})
        for medic_id in changes.gone:
            mirror.pop(medic_id, None)
        seen = changes.change_no

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(i) for i in range(4)))
    done.set()
    await following
    await catch_up()
    assert mirror == {f"m{i}": a_medic(f"m{i}", name="14") for i in (1, 2, 3)}
    assert seen == 1 + 4 * 15 + 1 == await medics.change_no(db)


async def test_the_roster_has_all_with_their_fixes(db):
    await medics.create(db, [a_medic(f"m{i:04d}") for i in range(2_500)])
    fix = Fix("m0007", 52.0, 5.0, None, AT)
    await positions.save(db, [fix])
    read = [one async for batch in medics.roster(db) for one in batch]
    assert {medic.id for medic, _ in read} == {f"m{i:04d}" for i in range(2_500)}
    assert [fix for _, fix in read if fix is not None] == [fix]
    assert {medic.id: medic for medic, _ in read}["m0007"] == a_medic("m0007")


async def test_the_newest_fix_wins(db):
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    await positions.save(db, [Fix("anna", 1.0, 1.0, 5.0, AT), Fix("anna", 2.0, 2.0, 5.0, AT - 1)])
    await positions.save(db, [Fix("anna", 3.0, 3.0, 5.0, AT - 1), Fix("bob", 4.0, 4.0, None, AT)])
    await positions.save(db, [Fix("nobody", 3.0, 3.0, 5.0, AT)])
    fixes = [fix async for batch in medics.roster(db) for _, fix in batch]
    assert sorted(fixes, key=lambda fix: fix.medic_id) == [
        Fix("anna", 1.0, 1.0, 5.0, AT),
        Fix("bob", 4.0, 4.0, None, AT),
    ]


async def test_a_row_that_can_not_be_keeps_nobody_else_out(db):
    """However it came there: neither at a start nor while following, and she stays as she was known."""
    bad = (Hours((1,), "22:00\n", "07:00"),)
    await medics.create(db, [a_medic("anna"), a_medic("bad", quiet_hours=bad), a_medic("cleo")])
    roster = Roster(default_time_zone="UTC", sms_on=True)
    follower = MedicsFollower(db, roster)
    await follower.load()
    known = {medic_id: roster.get(medic_id) for medic_id in ("anna", "bad", "cleo")}
    assert known == {"anna": a_medic("anna"), "bad": None, "cleo": a_medic("cleo")}
    await medics.change(db, "anna", lambda medic: replace(medic, quiet_hours=bad))
    await medics.change(db, "cleo", lambda medic: replace(medic, name="Cleo"))
    await follower.look()
    assert roster.get("anna") == a_medic("anna")
    assert roster.get("cleo").name == "Cleo"
    assert follower.seen == await medics.change_no(db)
