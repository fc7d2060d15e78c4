"""An answer that came in time and is read late by a busy loop is no answer that is missing."""

import asyncio
import time

import asyncpg
import pytest

from dispatch.nodes import membership, patience
from dispatch.nodes.membership import Membership
from dispatch.nodes.patience import patiently


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "ANSWER_S_MAX", 0.3)
    monkeypatch.setattr(patience, "BEAT_S", 0.1)


async def test_a_renewal_read_late_is_a_renewal(pool: asyncpg.Pool) -> None:
    membership = Membership(pool, "node")
    await membership.join()
    await membership.renew()
    life = membership.id
    for _ in range(3):
        renewing = asyncio.create_task(membership.renew())
        for _ in range(5):  # until it is asked
            await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251  (the loop is busy meanwhile)
        await renewing
    assert membership.id == life
    await membership.leave()


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    asked = asyncio.Event()

    async def ask() -> None:
        asked.set()
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await patiently(ask(), 0.2)
    assert asked.is_set()


async def test_who_waits_may_be_cancelled() -> None:
    waiting = asyncio.create_task(patiently(asyncio.Event().wait(), 60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await patiently(asyncio.sleep(0, "given"), 1) == "given"
