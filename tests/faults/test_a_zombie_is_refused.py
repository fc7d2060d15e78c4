"""A node paused for longer than its lease: another takes its work over, and when it wakes up it is refused.

What was already past its last check when it stopped, one call to the provider, still goes out; the other node
finds it there, does not repeat it, and follows it with the stand-down where one is due.
"""

import asyncio
import signal
import time
from collections import Counter

import asyncpg
import pytest

from simulations.twilio_double import TwilioDouble
from tests.faults.conftest import MakeNode
from tests.faults.people import Person, a_report, some_medics
from tests.faults.wave import until

pytestmark = pytest.mark.timeout(120)

TAKEN_OVER_S_MAX = 5.0
SMS_AFTER_S = 1.0
SLACK_S = 3.0
"""For two cores that do other things too."""


async def test_paused_its_alerts_go_out_by_another_and_it_repeats_none_of_them(
    make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    people = await some_medics(pool, 3)
    one, other = make_node("one"), make_node("other")
    await one.start()
    await other.start()
    status, opened = await one.call("POST", "/v1/incidents", a_report("R-1"))
    one.send(signal.SIGSTOP)
    paused_at = time.monotonic()
    assert (status, len(opened["alerts"])) == (201, 3)
    await until("all have an SMS", lambda: texts(twilio, people) == [1, 1, 1], other)
    assert time.monotonic() - paused_at < TAKEN_OVER_S_MAX + SMS_AFTER_S + SLACK_S
    one.send(signal.SIGCONT)
    await one.until_ready(20)
    await until_two_live(pool)
    status, _ = await one.call("POST", f"/v1/incidents/{opened['id']}/cancel", {})
    assert status == 200
    await until("all are stood down", lambda: texts(twilio, people) == [2, 2, 2], one)
    await asyncio.sleep(1)
    check_each_sent_once(twilio)
    positions = [position for position, _ in await one.feed()]
    assert positions == list(range(1, len(positions) + 1))
    assert positions == [position for position, _ in await other.feed()]


async def test_the_call_it_was_about_to_make_is_not_repeated_and_is_followed_by_its_stand_down(
    make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    people = await some_medics(pool, 1)
    one, other = make_node("one"), make_node("other")
    one.kill_when_it_reaches("=attempt_committed")
    await one.start()
    await other.start()
    status, opened = await one.call("POST", "/v1/incidents", a_report("R-1"))
    assert status == 201
    await until_attempted(pool)
    await asyncio.sleep(TAKEN_OVER_S_MAX)
    assert texts(twilio, people) == [0], "it stopped between its check and its call"
    one.kill_when_it_reaches("")
    status, _ = await other.insist("POST", f"/v1/incidents/{opened['id']}/cancel", {})
    assert status == 200
    one.send(signal.SIGCONT)
    await until("its one call went out, and was followed", lambda: texts(twilio, people) == [2], other)
    check_each_sent_once(twilio)
    first, second = (record.body for record in twilio.messages)
    assert "google" in first or "q=" in first, "the alert first"
    assert "q=" not in second, "then its stand-down"
    await one.until_ready(20)


def texts(twilio: TwilioDouble, people: list[Person]) -> list[int]:
    return [len(twilio.phone(person.phone).inbox) for person in people]


def check_each_sent_once(twilio: TwilioDouble) -> None:
    times = Counter((record.callback_url or "").rpartition("=")[2] for record in twilio.messages)
    assert set(times.values()) == {1}, times


async def until_two_live(pool: asyncpg.Pool) -> None:
    live = "select count(*) from node where lease_until > extract(epoch from clock_timestamp()) * 1000"
    async with asyncio.timeout(10):
        while await pool.fetchval(live) != 2:
            await asyncio.sleep(0.1)


async def until_attempted(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(15):
        while not await pool.fetchval("select count(*) from notification where attempted_at is not null"):
            await asyncio.sleep(0.05)
