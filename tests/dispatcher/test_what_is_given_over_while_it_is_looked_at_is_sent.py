"""A lease that comes to this node while its sender finds that it has none: the notification is still sent."""

import asyncio

from letters import ALERT, LETTER

from dispatch.sending.sender import Letter, Ready, Sender
from notify.channel import Outcome, Sent
from notify.message import Message


class Office:
    """An office in memory. Unrealistic: its lease comes when the test says so, and not from a database."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.ours = False
        self.settled: list[str] = []

    def ready(self, letter: Letter) -> Ready | None:
        return None if self.settled else Ready(ALERT, "+31612345678")

    async def attempt(self, letter: Letter) -> int | None:
        ours = self.ours
        self.asked.set()
        await self.answer.wait()
        return 1 if ours else None

    async def take_back(self, letter: Letter, attempted_at: int) -> bool:
        return True

    def settle(self, letter: Letter, result: str, *, reason: str = "", definite: bool = False) -> None:
        self.settled.append(result)

    def now_ms(self) -> int:
        return 0


class Channel:
    """Takes every message."""

    name = "sms"
    repeatable = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: Message, address: str) -> Outcome:
        self.sent.append(message.message_id)
        return Sent()

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:
        raise AssertionError("nothing is in doubt")


async def test_it_is_sent_once():
    office, channel = Office(), Channel()
    sender = Sender({"sms": channel}, office, sleep=asyncio.sleep)
    sender.send(LETTER)
    await office.asked.wait()
    office.ours = True
    sender.send(LETTER)
    sender.send(LETTER)
    office.answer.set()
    while sender.waiting:
        await asyncio.sleep(0)
    assert channel.sent == ["0123-1-1"]
    assert office.settled == ["sent"]
