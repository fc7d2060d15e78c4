"""One incident's whole life, lived by clients that do not give up, and what must be true of it whatever died.

Two medics have their phones on, one is reached by SMS alone; the first accepts, the others are stood down,
the incident is closed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg

from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.double import AUTH_TOKEN
from simulations.twilio_double.phones import Text
from tests.faults.node import Node
from tests.faults.people import Person, a_report
from tests.faults.phone import Phone, switched_on

POLICY = """
[other]
ladder = [{ channel = "websocket", after_s = 0 }, { channel = "sms", after_s = 1 }]
"""
STEP_S_MAX = 40.0


class Life:
    """``live`` takes the incident to its end; ``check`` looks at what was left."""

    def __init__(self, node: Node, people: list[Person], twilio: TwilioDouble) -> None:
        self.node, self.people, self.twilio = node, people, twilio
        self.phones = [Phone(person.token, node.url) for person in people[:2]]
        self.acknowledged: list[str] = []
        self.id = ""

    async def live(self) -> None:
        async with switched_on(*self.phones):
            await self._until("the phones are connected", lambda: all(p.connected for p in self.phones))
            await self._report()
            await self._until("every phone rings", lambda: all(phone.rung for phone in self.phones))
            await self._until("the third has an SMS", lambda: bool(self._inbox(2)))
            first = self.phones[0]
            (alert_id,) = first.rung
            await first.say("accept", alert_id)
            await self._until("her answer is taken", lambda: bool(first.answered))
            await self._until("the second is stood down", lambda: bool(self.phones[1].stood_down))
            await self._until("the third is stood down", lambda: len(self._inbox(2)) > 1)
            status, _ = await self.node.insist(
                "POST", f"/v1/incidents/{self.id}/close", {}, **{"Idempotency-Key": "close"}
            )
            assert status == 200
            await self._until("the first is stood down too", lambda: bool(first.stood_down))

    async def check(self, pool: asyncpg.Pool) -> None:
        """Everything has its outcome, and nothing happened twice."""
        await self._until_settled(pool)
        _, incident = await self.node.insist("GET", f"/v1/incidents/{self.id}")
        assert incident["state"] == "closed"
        assert sorted(alert["medic_id"] for alert in incident["alerts"]) == sorted(
            person.medic_id for person in self.people
        ), "each was asked once, in one wave"
        assert await pool.fetchval("select count(*) from incident") == 1
        assert [len(phone.rung) for phone in self.phones] == [1, 1], "a device rings once"
        times = Counter(record.callback_url for record in self.twilio.messages)
        assert set(times.values()) <= {1}, f"an SMS was sent twice: {times}"
        positions = [position for position, _ in await self.node.feed()]
        assert positions == list(range(1, len(positions) + 1)), "the feed has every event once"

    async def _report(self) -> None:
        """Posted until it is answered, and then once more, as after a lost reply."""
        headers = {"Idempotency-Key": "open"}
        _, first = await self.node.insist("POST", "/v1/incidents", a_report("R-1"), **headers)
        status, again = await self.node.insist("POST", "/v1/incidents", a_report("R-1"), **headers)
        assert (status, again["id"]) == (200, first["id"])
        self.id = first["id"]

    def _inbox(self, which: int) -> list[Text]:
        return self.twilio.phone(self.people[which].phone).inbox

    async def _until(self, what: str, true: Callable[[], bool]) -> None:
        until = time.monotonic() + STEP_S_MAX
        while not true():
            assert time.monotonic() < until, f"not within {STEP_S_MAX} s: {what}\n{self.node.log}"
            await asyncio.sleep(0.02)

    async def _until_settled(self, pool: asyncpg.Pool) -> None:
        until = time.monotonic() + STEP_S_MAX
        while pending := await pool.fetch("select * from notification where state = 'requested'"):
            assert time.monotonic() < until, f"no outcome: {pending}\n{self.node.log}"
            await asyncio.sleep(0.05)


def settings_of(twilio: TwilioDouble, **more: Any) -> dict[str, str]:
    """SMS by the double."""
    return {
        "DISPATCH_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "DISPATCH_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "DISPATCH_TWILIO_FROM": twilio.number,
        "DISPATCH_TWILIO_API_URL": twilio.url,
        **more,
    }
