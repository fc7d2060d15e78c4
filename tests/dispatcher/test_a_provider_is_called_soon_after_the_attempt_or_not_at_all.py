"""What the provider may have is judged by the attempt's time, so no call is made long after it."""

import asyncio

import pytest
from texting import Texting
from town import a_policy, asked_by, some_medics, until

from dispatch.core import commands as c
from dispatch.sending.sender import CALL_S_MAX
from dispatch.store import notifications

TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=90)}
LISTED_S_MAX = 20.0
"""Of the channel: what its provider does not list by then it never took."""


async def alerted(start_town, texting: Texting, monkeypatch, *commits_s: float):
    """An alert by SMS, whose attempts' commits take so long; and of when each attempt was."""
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    attempt, attempts, left_s = notifications.attempt, [], list(commits_s)

    async def slow(*args, at: int, **about):
        attempts.append(at)
        town.clock.move(left_s.pop(0) if left_s else 0.0)
        return await attempt(*args, at=at, **about)

    monkeypatch.setattr(notifications, "attempt", slow)
    return town, await town.report(), attempts


async def test_one_whose_commit_took_longer_is_taken_back_and_made_anew(start_town, texting, monkeypatch):
    town, record, attempts = await alerted(start_town, texting, monkeypatch, CALL_S_MAX + 1)
    await until(lambda: len(attempts) == 1)
    await town.quiet()
    assert not texting.twilio.messages
    await town.pass_time(1)
    await texting.twilio.settle()
    await town.quiet()
    assert len(attempts) == 2
    assert len(texting.twilio.messages) == 1
    assert asked_by(await town.now(record))["medic-000"].state == "delivered"


async def test_one_by_a_clock_that_stood_still_is_made_anew(start_town, texting, monkeypatch):
    """What the provider listed late would be taken for never accepted, reckoned from long before the call."""
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    attempt, attempts, behind_s = notifications.attempt, [], [9.0]

    async def told_the_databases_time(*args, at: int, **about):
        attempts.append(at)
        assert await attempt(*args, at=at, **about) is not None
        return at + round(1000 * sum(behind_s))

    async def put_forward(_pool):
        town.clock.move(behind_s.pop())

    monkeypatch.setattr(notifications, "attempt", told_the_databases_time)
    monkeypatch.setattr(town.clock, "resync", put_forward)
    record = await town.report()
    await until(lambda: attempts)
    await town.quiet()
    assert not texting.twilio.messages
    await town.pass_time(1)
    await texting.twilio.settle()
    await town.quiet()
    assert attempts[1] - attempts[0] >= 9_000
    assert len(texting.twilio.messages) == 1
    assert asked_by(await town.now(record))["medic-000"].state == "delivered"


@pytest.mark.parametrize(
    "end",
    [
        lambda town, record: town.dispatcher.command(record.id, "key-1", c.Close),
        lambda town, _: town.dispatcher.medic_deleted("medic-000"),
    ],
    ids=["closed", "deleted"],
)
async def test_what_is_over_while_the_attempt_is_committed_is_not_sent(start_town, texting, monkeypatch, end):
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    attempt, attempted, go_on = notifications.attempt, asyncio.Event(), asyncio.Event()

    async def held_up(*args, **about):
        committed = await attempt(*args, **about)
        attempted.set()
        await go_on.wait()
        return committed

    monkeypatch.setattr(notifications, "attempt", held_up)
    record = await town.report()
    await attempted.wait()
    await end(town, record)
    go_on.set()
    await town.quiet()
    await texting.twilio.settle()
    assert texting.twilio.messages == []
    (alert,) = (await town.now(record)).state.alerts
    assert not any(note.pending for note in alert.notes)


async def test_who_has_it_next_sends_it_again_only_once_the_last_possible_call_would_be_listed(
    start_town, texting, monkeypatch
):
    texting.timeout_s = 0.5
    texting.twilio.callback_delay_s = 10**6
    texting.twilio.list_lag_s = 10**6
    texting.twilio.hang_next(accepted=True)
    town, record, attempts = await alerted(start_town, texting, monkeypatch, CALL_S_MAX - 0.1)
    await until(lambda: texting.twilio.messages)
    await town.stop()
    again = await start_town(channels=texting.channels, policies=TRAUMA, node_id="node-b")
    texting.node = again
    again.clock.move_to(attempts[0] + round(1000 * (LISTED_S_MAX + CALL_S_MAX - 0.5)))
    await again.pass_time(0)
    assert len(texting.twilio.messages) == 1
    texting.twilio.list_lag_s = 0.0
    await again.pass_time(3)
    assert len(texting.twilio.messages) == 1
    assert asked_by(await again.now(record))["medic-000"].state == "delivered"
