"""The sender on a clock that the test moves: when a provider is called, asked, left alone, and given up."""

import asyncio
from typing import Any

import pytest
from letters import ALERT, EXPIRES_MS, LETTER
from msgspec.structs import replace

from dispatch.sending.sender import ASK_S_MAX, CALL_S_MAX, FOLLOW_UP_S_MAX, PAUSE_S_MIN, Letter, Ready, Sender
from notify.channel import Failed, Outcome, Postponed, Sent, Unknown
from notify.message import Message


class Post:
    """Office and channel in one, in memory. ``outcomes``: the provider's answers, the last one for ever.

    Unrealistic: a commit takes ``commit_ms`` and never fails, and time passes in it and in pauses alone.
    """

    name = "sms"
    repeatable = False

    def __init__(self, *outcomes: Outcome, message: Message = ALERT) -> None:
        self.outcomes = list(outcomes)
        self.message = message
        self.at_ms = 0
        self.commit_ms = 0
        self.may = self.ours = True
        self.gone: str | None = None
        self.hindrance: str | None = None
        self.hindered_by_the_commit: str | None = None
        self.did: list[str] = []
        self.called_by_ms: list[int] = []
        self.settled: list[Any] = []
        self.tells_pauses = self.tells_commits = False
        self.pauses = asyncio.Event()
        self.pauses.set()
        self.lost_by_the_commit = self.lost = False
        self.sender = Sender({"sms": self}, self, sleep=self._sleep)

    async def bring(self, letter: Letter = LETTER) -> None:
        self.sender.send(letter)
        await self.ended()

    async def ended(self) -> None:
        """Nothing is under way any more, and nothing went wrong on the way."""
        while self.sender.waiting:
            await asyncio.gather(*[task for task in asyncio.all_tasks() if task.get_name() == "send sms"])
            await asyncio.sleep(0)

    async def until(self, what: str) -> None:
        while self.did[-1:] != [what]:
            await asyncio.sleep(0)

    async def _sleep(self, seconds: float) -> None:
        self.at_ms += round(seconds * 1000)
        self.did += ["pause"] * self.tells_pauses
        await self.pauses.wait()

    # The office

    def ready(self, letter: Letter) -> Ready | str | None:
        return self.gone or (
            None if self.lost or self.settled else Ready(self.message, "+31612345678", self.hindrance)
        )

    async def attempt(self, letter: Letter) -> int | None:
        at_ms = self.at_ms
        self.at_ms += self.commit_ms
        self.commit_ms = 0
        self.hindrance, self.lost = self.hindered_by_the_commit, self.lost_by_the_commit
        self.did += ["commit"] * self.tells_commits
        await asyncio.sleep(0)
        return at_ms if self.may else None

    async def take_back(self, letter: Letter, attempted_at: int) -> bool:
        self.did.append("take back")
        return self.ours

    def settle(self, letter: Letter, result: str, *, reason: str = "", definite: bool = False) -> None:
        self.settled.append((result, reason, definite) if result == "failed" else result)

    def now_ms(self) -> int:
        return self.at_ms

    # The channel

    async def send(self, message: Message, address: str) -> Outcome:
        return await self._answer("send")

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:
        self.called_by_ms.append(called_by_ms)
        return await self._answer("ask")

    async def _answer(self, what: str) -> Outcome:
        self.did.append(what)
        await asyncio.sleep(0)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


BUSY = Postponed("busy", 10.0)
BROKEN = Unknown("broken off", 10.0)


async def test_sent_and_delivered_are_told_apart() -> None:
    for outcome, result in ((Sent(), "sent"), (Sent(delivered=True), "delivered")):
        post = Post(outcome)
        await post.bring()
        assert (post.did, post.settled) == (["send"], [result])


@pytest.mark.parametrize("definite", [True, False])
async def test_what_the_provider_refuses_is_not_tried_again(definite: bool) -> None:
    post = Post(Failed("blocked", definite))
    await post.bring()
    assert (post.did, post.settled) == (["send"], [("failed", "blocked", definite)])


async def test_what_may_have_been_sent_is_asked_about_and_never_sent_twice() -> None:
    post = Post(BROKEN, BROKEN, Sent())
    await post.bring()
    assert (post.did, post.settled) == (["send", "ask", "ask"], ["sent"])
    assert post.called_by_ms == [round(CALL_S_MAX * 1000)] * 2


async def test_what_was_never_taken_is_taken_back_and_sent_again() -> None:
    post = Post(BROKEN, BUSY, Sent())
    await post.bring()
    assert (post.did, post.settled) == (["send", "ask", "take back", "send"], ["sent"])


async def test_one_that_is_another_nodes_by_then_is_left_to_it() -> None:
    post = Post(BUSY)
    post.ours = False
    await post.bring()
    assert (post.did, post.settled) == (["send", "take back"], [])


async def test_one_that_this_node_may_not_send_is_not_sent() -> None:
    post = Post(Sent())
    post.may = False
    await post.bring()
    assert (post.did, post.settled) == ([], [])


async def test_what_a_former_life_attempted_is_asked_about_first() -> None:
    post = Post(Sent(delivered=True))
    await post.bring(LETTER._replace(attempted_at=7_000))
    assert (post.did, post.settled) == (["ask"], ["delivered"])
    assert post.called_by_ms == [10_000]


async def test_an_alert_is_tried_until_it_expires() -> None:
    post = Post(BUSY)
    await post.bring()
    assert post.did.count("send") == 6
    assert post.at_ms < EXPIRES_MS
    assert post.settled == [("failed", "busy", True)]


@pytest.mark.parametrize("purpose", ["update", "stand_down"])
async def test_what_follows_an_alert_is_tried_long_after_that(purpose: Any) -> None:
    post = Post(BUSY, message=replace(ALERT, purpose=purpose))
    post.at_ms = EXPIRES_MS + 1
    await post.bring()
    assert post.did.count("send") == FOLLOW_UP_S_MAX / BUSY.after_s
    assert post.settled == [("failed", "busy", True)]


async def test_what_stays_in_doubt_is_given_up_as_perhaps_sent() -> None:
    post = Post(BROKEN)
    post.at_ms = 1_000_000
    await post.bring()
    assert post.did == ["send"] + ["ask"] * round(ASK_S_MAX / BROKEN.after_s)
    assert post.settled == [("failed", "broken off", False)]


async def test_however_soon_the_provider_says_it_is_given_a_pause() -> None:
    post = Post(Postponed("busy", 0.0), Sent())
    await post.bring()
    assert post.at_ms == PAUSE_S_MIN * 1000


async def test_nobody_is_called_where_the_commit_took_too_long() -> None:
    post = Post(Sent())
    post.commit_ms = round(CALL_S_MAX * 1000) + 1
    await post.bring()
    assert (post.did, post.settled) == (["take back", "send"], ["sent"])
    just = Post(Sent())
    just.commit_ms = round(CALL_S_MAX * 1000)
    await just.bring()
    assert just.did == ["send"]


async def test_what_is_no_longer_true_is_not_sent() -> None:
    before, meanwhile = Post(Sent()), Post(Sent())
    before.hindrance = meanwhile.hindered_by_the_commit = "no_longer_true"
    for post in (before, meanwhile):
        await post.bring()
        assert (post.did, post.settled) == ([], [("failed", "no_longer_true", True)])


async def test_what_is_no_longer_true_is_asked_about_all_the_same_where_it_may_have_been_sent() -> None:
    post = Post(Sent())
    post.hindrance = "no_longer_true"
    await post.bring(LETTER._replace(attempted_at=0))
    assert (post.did, post.settled) == (["ask"], ["sent"])


async def test_only_what_was_never_attempted_has_certainly_not_gone_to_nobody() -> None:
    for attempted_at, definite in ((None, True), (0, False)):
        post = Post(Sent())
        post.gone = "deleted"
        await post.bring(LETTER._replace(attempted_at=attempted_at))
        assert (post.did, post.settled) == ([], [("failed", "deleted", definite)])
        off = Post(Sent())
        await off.bring(LETTER._replace(channel="voice", attempted_at=attempted_at))
        assert (off.did, off.settled) == ([], [("failed", "channel_off", definite)])


async def test_one_with_its_outcome_is_not_touched() -> None:
    post = Post(Sent())
    post.settled = ["delivered"]
    await post.bring()
    assert (post.did, post.settled) == ([], ["delivered"])


async def test_once_it_stops_nobody_is_called() -> None:
    post = Post(Sent())
    post.sender.send(LETTER)
    await post.sender.close()
    await post.bring()
    assert (post.did, post.settled) == ([], [])


async def test_a_providers_trouble_is_known_until_it_takes_something() -> None:
    post = Post(BUSY, BROKEN)
    post.ours = False
    await post.bring()
    assert post.sender.trouble == {"sms": "busy"}
    post.outcomes = [Failed("blocked")]
    await post.bring()
    assert post.sender.trouble == {}


async def test_one_given_over_twice_is_brought_once_and_each_of_an_alerts_by_itself() -> None:
    post = Post(Sent())
    post.sender.send(LETTER)
    post.sender.send(LETTER)
    post.sender.send(LETTER._replace(k=2))
    assert post.sender.waiting == 2
    await post.ended()
    post = Post(Sent())
    post.sender.send(LETTER)
    await post.bring()
    assert (post.did, post.settled) == (["send"], ["sent"])


async def test_one_of_which_nothing_is_known_once_it_is_committed_is_taken_back() -> None:
    post = Post(Sent())
    post.lost_by_the_commit = True
    await post.bring()
    assert (post.did, post.settled) == (["take back"], [])


async def test_a_stop_while_it_is_committed_takes_it_back() -> None:
    post = Post(Sent())
    post.tells_commits = True
    post.sender.send(LETTER)
    await post.until("commit")
    await post.sender.close()
    assert (post.did, post.settled) == (["commit", "take back"], [])


async def test_a_stop_waits_for_a_call_and_not_for_a_pause() -> None:
    """Also for one that is called after a pause."""
    post = Post(BUSY, Sent())
    post.sender.send(LETTER)
    await post.until("take back")
    await post.until("send")
    await post.sender.close()
    assert (post.did, post.settled) == (["send", "take back", "send"], ["sent"])
    paused = Post(BUSY)
    paused.tells_pauses = True
    paused.pauses.clear()
    paused.sender.send(LETTER)
    await paused.until("pause")
    async with asyncio.timeout(1):
        await paused.sender.close()
    assert (paused.did, paused.settled) == (["send", "take back", "pause"], [])
    assert not paused.sender.waiting
