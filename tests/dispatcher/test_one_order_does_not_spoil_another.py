"""Orders that wait for one incident share a commit; each has its own answer."""

import asyncio

import pytest
from msgspec.structs import replace
from town import Town, some_medics, states

from dispatch.core import commands as c
from dispatch.records import Change
from dispatch.store.appends import KeyTaken, Remembered, Unavailable


@pytest.fixture
async def record(town):
    await town.add(some_medics(4))
    record = await town.report()
    await town.quiet()
    return record


def key(town: Town, name: str, subject: str, at: int | None = None) -> Remembered:
    return Remembered(town.room_id, name, b"hash", subject, at or town.clock.now_ms())


async def test_a_refused_one_is_refused_alone(town, record):
    answers = await asyncio.gather(
        town.answer(record, 1, "decline"),
        town.answer(record, 2, "finished"),
        town.answer(record, 3, "accept"),
        return_exceptions=True,
    )
    assert [str(answer) for answer in answers] == ["declined", "not_engaged", "accepted"]


async def test_a_key_that_is_taken_refuses_its_own_order_alone(town, record):
    await town.dispatcher.more(record.id, "key-1", 1, key(town, "k", record.id))
    answers = await asyncio.gather(
        town.answer(record, 1, "decline"),
        town.dispatcher.more(record.id, "key-1", 5, key(town, "k", record.id)),
        town.answer(record, 2, "decline"),
        return_exceptions=True,
    )
    assert answers[0] == answers[2] == "declined"
    assert isinstance(answers[1], KeyTaken)
    assert (await town.now(record)).state.more == 1


async def test_two_keys_at_once_are_both_kept(town, record):
    await asyncio.gather(
        *(town.dispatcher.more(record.id, "key-1", 1, key(town, f"k{i}", record.id)) for i in range(3))
    )
    assert await town.pool.fetchval("select count(*) from idempotency") == 3
    assert (await town.now(record)).state.more == 3


async def test_a_repeat_that_changes_nothing_keeps_its_key_and_a_refused_one_does_not(town, record):
    await town.dispatcher.command(record.id, "key-1", c.Cancel)
    await town.quiet()
    seq = (await town.now(record)).state.seq
    await town.dispatcher.command(record.id, "key-1", c.Cancel, key(town, "again", record.id))
    with pytest.raises(c.Refused, match="ended"):
        await town.dispatcher.command(record.id, "key-1", c.Close, key(town, "no", record.id))
    assert (await town.now(record)).state.seq == seq
    assert [row["key"] for row in await town.pool.fetch("select key from idempotency")] == ["again"]


async def test_what_can_not_be_decided_at_all_is_told_to_who_asked_and_the_others_go_on(town, record):
    def broken(_: object) -> c.Command:
        raise RuntimeError("a mistake of ours")

    answers = await asyncio.gather(
        town.answer(record, 1, "decline"),
        town.dispatcher.decisions.order(record.id, broken),
        town.answer(record, 2, "decline"),
        return_exceptions=True,
    )
    assert answers[0] == answers[2] == "declined"
    assert isinstance(answers[1], RuntimeError)
    assert states(await town.now(record))[:2] == ["declined", "declined"]


async def test_a_reaction_that_fails_undoes_nothing(town, record):
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    town.dispatcher.wakeups.wake = broken
    assert await town.answer(record, 1, "accept") == "accepted"
    await town.quiet()
    assert (await town.stored(record)).state == (await town.now(record)).state


async def test_what_is_unknown_or_anothers_is_not_found(town, record):
    for alert in (f"{record.id}-9", "x", "0123-1", f"{record.id}-2"):
        with pytest.raises(LookupError):
            await town.dispatcher.answer("medic-000", alert, "accept", "websocket")
    assert await town.dispatcher.get("0123") is None
    with pytest.raises(LookupError):
        await town.dispatcher.more("0123", "key-1", 1)


async def test_after_the_end_no_order_is_taken(town, record):
    await town.dispatcher.close()
    with pytest.raises(Unavailable):
        await town.answer(record, 1, "accept")


async def test_of_two_changes_at_once_neither_undoes_the_other(town, record):
    """Two operators, each with the incident as it was a moment ago."""
    was = record.details
    street = Change(("address",), replace(was, address="Dorpsstraat 1"))
    way_in = Change(("directions",), replace(was, directions="round the back"))
    await asyncio.gather(
        town.dispatcher.update(record.id, "key-1", street),
        town.dispatcher.update(record.id, "key-2", way_in),
    )
    for now in (await town.now(record), await town.stored(record)):
        assert (now.details.address, now.details.directions) == ("Dorpsstraat 1", "round the back")
