"""Enrolment codes: ten minutes, five guesses, single use, also when all come at once."""

import asyncio

import pytest
from made import AT, a_medic

from dispatch.store import enrolments, medics

TEN_MINUTES_MS = 600_000


@pytest.fixture
async def enrolled(db):
    await medics.create(db, [a_medic("anna")])
    assert await enrolments.put(db, "anna", "123456", at=AT)


async def test_the_right_one_is_used_once(enrolled, db):
    uses = await asyncio.gather(*(enrolments.use(db, "anna", "123456", at=AT + 1) for _ in range(4)))
    assert uses.count(True) == 1
    assert not await enrolments.use(db, "anna", "123456", at=AT + 1)


async def test_five_guesses_and_no_more(enrolled, db):
    wrong = await asyncio.gather(*(enrolments.use(db, "anna", f"00000{i}", at=AT + 1) for i in range(5)))
    assert not any(wrong)
    assert not await enrolments.use(db, "anna", "123456", at=AT + 1)


async def test_the_fifth_guess_may_be_right(enrolled, db):
    for i in range(4):
        assert not await enrolments.use(db, "anna", f"00000{i}", at=AT + 1)
    assert await enrolments.use(db, "anna", "123456", at=AT + 1)


async def test_ten_minutes(enrolled, db):
    assert not await enrolments.use(db, "anna", "123456", at=AT + TEN_MINUTES_MS)
    assert await enrolments.use(db, "anna", "123456", at=AT + TEN_MINUTES_MS - 1)


async def test_a_new_code_takes_the_place_of_the_old(enrolled, db):
    await enrolments.put(db, "anna", "654321", at=AT)
    assert not await enrolments.use(db, "anna", "123456", at=AT + 1)
    assert await enrolments.use(db, "anna", "654321", at=AT + 1)


async def test_nobody_has_no_code(db):
    assert not await enrolments.put(db, "nobody", "123456", at=AT)
    assert not await enrolments.use(db, "nobody", "123456", at=AT)


async def test_it_does_not_stand_in_the_database(enrolled, db):
    assert "123456" not in str(tuple(await db.fetchrow("select * from enrolment_code")))
    await enrolments.purge(db, at=AT + TEN_MINUTES_MS)
    assert await db.fetchval("select count(*) from enrolment_code") == 0
