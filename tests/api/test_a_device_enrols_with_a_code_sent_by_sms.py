"""Enrolment: a code by SMS, a token for it; bad codes; and nothing that tells who is registered."""

import asyncio
import re

import httpx
import pytest

from dispatch.store import enrolments
from tests.api.world import World

STRANGER = "+31699999999"


async def code_on(world: World, phone: str, nth: int = 1) -> str:
    """The code in the ``nth`` SMS that this phone gets."""
    assert world.twilio is not None
    async with asyncio.timeout(5):
        while len(world.twilio.phone(phone).inbox) < nth:
            await asyncio.sleep(0.01)
    found = re.search(r"\b\d{6}\b", world.twilio.phone(phone).inbox[nth - 1].body)
    assert found
    return found[0]


@pytest.fixture
async def phone(world_with_sms: World) -> str:
    """A registered phone."""
    return await world_with_sms.phone(await world_with_sms.medic())


@pytest.fixture
async def anybody(world_with_sms: World) -> httpx.AsyncClient:
    """A client without a key or token."""
    return await world_with_sms.client()


async def test_a_code_becomes_a_token_once(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    asked = await anybody.post("/v1/enrolments", json={"phone": phone})
    assert (asked.status_code, asked.json()) == (202, {})
    body = {"phone": phone, "code": await code_on(world_with_sms, phone)}
    enrolled = await anybody.post("/v1/enrolments/confirm", json=body)
    assert enrolled.status_code == 200
    me = await world_with_sms.client(enrolled.json()["token"])
    assert (await me.get("/v1/me")).json()["medic_id"] == enrolled.json()["medic_id"]
    again = await anybody.post("/v1/enrolments/confirm", json=body)
    assert (again.status_code, again.json()["code"]) == (401, "wrong_code")


async def test_only_hashes_of_code_and_token_are_kept(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    await anybody.post("/v1/enrolments", json={"phone": phone})
    code = await code_on(world_with_sms, phone)
    assert code.encode() not in bytes(
        await world_with_sms.pool.fetchval("select code_hash from enrolment_code")
    )
    enrolled = await anybody.post("/v1/enrolments/confirm", json={"phone": phone, "code": code})
    kept = await world_with_sms.pool.fetchval("select token_hash from device_token")
    assert enrolled.json()["token"].encode() not in bytes(kept)


async def test_a_code_takes_five_guesses(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    await anybody.post("/v1/enrolments", json={"phone": phone})
    code = await code_on(world_with_sms, phone)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        answer = await anybody.post("/v1/enrolments/confirm", json={"phone": phone, "code": wrong})
        assert answer.status_code == 401
    answer = await anybody.post("/v1/enrolments/confirm", json={"phone": phone, "code": code})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_code")


async def test_a_code_holds_for_ten_minutes(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    await anybody.post("/v1/enrolments", json={"phone": phone})
    code = await code_on(world_with_sms, phone)
    assert enrolments.HOLDS_MS == 600_000
    await world_with_sms.pool.execute(
        "update enrolment_code set expires_at = expires_at - $1", enrolments.HOLDS_MS
    )
    answer = await anybody.post("/v1/enrolments/confirm", json={"phone": phone, "code": code})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_code")


async def test_a_stranger_gets_the_same_answer_and_no_sms(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    answers = [await anybody.post("/v1/enrolments", json={"phone": p}) for p in (STRANGER, phone)]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].content == answers[1].content
    await code_on(world_with_sms, phone)
    assert world_with_sms.twilio is not None
    assert world_with_sms.twilio.phone(STRANGER).inbox == []
    wrong = [
        await anybody.post("/v1/enrolments/confirm", json={"phone": p, "code": "000000"})
        for p in (STRANGER, phone)
    ]
    assert wrong[0].json() == wrong[1].json()


async def test_asking_takes_the_same_time_since_nothing_is_looked_up_before_the_answer(
    world_with_sms: World, anybody: httpx.AsyncClient, phone: str
) -> None:
    async with world_with_sms.pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table medic, enrolment_code in access exclusive mode")
        for asked in (phone, STRANGER):
            answer = await asyncio.wait_for(anybody.post("/v1/enrolments", json={"phone": asked}), 5)
            assert answer.status_code == 202
        assert world_with_sms.twilio is not None
        assert world_with_sms.twilio.messages == []
    await code_on(world_with_sms, phone)


async def test_a_phone_may_ask_three_times_at_once_registered_or_not(
    anybody: httpx.AsyncClient, phone: str
) -> None:
    for asked in (phone, STRANGER):
        answers = [await anybody.post("/v1/enrolments", json={"phone": asked}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert answers[-1].json()["code"] == "too_many"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 301


async def test_an_address_may_ask_for_thirty_phones_at_once(anybody: httpx.AsyncClient) -> None:
    phones = [f"+316000000{n:02d}" for n in range(31)]
    answers = [await anybody.post("/v1/enrolments", json={"phone": asked}) for asked in phones]
    assert [answer.status_code for answer in answers] == [202] * 30 + [429]


async def test_what_is_no_phone_or_code_is_invalid(anybody: httpx.AsyncClient) -> None:
    for phone in ("0612345678", "+31 6 12345678", "+0", "", 31612345678, None, "+3161234567890123"):
        answer = await anybody.post("/v1/enrolments", json={"phone": phone})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "phone")
    for code in ("12345", "1234567", "abcdef", 123456, "12345\u0661"):
        answer = await anybody.post("/v1/enrolments/confirm", json={"phone": STRANGER, "code": code})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "code")
