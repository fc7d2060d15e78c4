"""A model of an SMS provider, as a channel: it takes a message, or does not, and does not always say so.

Its answer comes late or never, its word about a message comes before that, twice, out of order or long after.
Unrealistic: it takes a request at once or within its time-out, never later.
"""

from collections.abc import Callable
from random import Random

from notify.channel import Failed, Outcome, Postponed, Sent, Unknown
from notify.message import Message
from notify.twilio_results import status_outcome
from tests.simulator.links import Faults, Link
from tests.simulator.loop import SimLoop

TIMEOUT_S = 10.0
LAG_S = 20.0
"""How long after a request its list may still lack the message that it took."""
BAD_PHONE = "refused"


class Taken:
    """A message that the provider took: it will ring, or not, and its status follows."""

    def __init__(self, number: int, message: Message, phone: str, at_s: float, listed_at_s: float) -> None:
        self.provider_id = f"SM{number:06}"
        self.message, self.phone = message, phone
        self.at_s, self.listed_at_s = at_s, listed_at_s
        self.status, self.error_code = "queued", None


class Provider:
    """``ring(phone, message)`` brings a text to a phone, ``tell(notification, outcome)`` calls back.

    ``taken`` has all that it took, in order; ``on_call`` is told of every request, before it is answered.
    """

    def __init__(
        self,
        loop: SimLoop,
        faults: Faults,
        seed: object,
        *,
        ring: Callable[[str, Message], None],
        tell: Callable[[str, Outcome], None],
        on_call: Callable[[Message, str], None],
    ) -> None:
        self._loop, self._faults = loop, faults
        self._random = Random(f"{seed} provider")
        self._ring, self._tell, self._on_call = ring, tell, on_call
        self.taken: list[Taken] = []
        self.by_notification: dict[str, list[Taken]] = {}
        self.opted_out: dict[str, None] = {}
        self.down = False

    def create(self, message: Message, phone: str, asked_at_s: float) -> Outcome | Taken:
        """A request that has arrived, a while after it was sent."""
        self._on_call(message, phone)
        if self.down:
            self._faults.count("provider down")
            return Unknown("http_503", 2.0)
        if phone in self.opted_out:
            return Failed("opted_out")
        if self._faults.happens("provider 429", 0.05):
            return Postponed("too_many_requests", 1.0)
        if self._faults.happens("provider 500, not taken", 0.05):
            return Unknown("http_500", 2.0)
        now, lag_s = self._loop.time(), 0.0
        if self._faults.happens("listed late", 0.1):
            lag_s = max(0.0, 0.9 * LAG_S - (now - asked_at_s)) * self._random.random()
        taken = Taken(len(self.taken), message, phone, now, now + lag_s)
        self.taken.append(taken)
        self.by_notification.setdefault(message.message_id, []).append(taken)
        self._go_on(taken)
        if self._faults.happens("provider 500, taken", 0.03):
            return Unknown("http_500", 2.0)
        return taken

    def find(self, message: Message, called_by_s: float) -> Outcome:
        """Its list, asked for one message."""
        if self.down:
            return Unknown("http_503", 2.0)
        if self._faults.happens("provider list 500", 0.05):
            return Unknown("http_500", 2.0)
        now = self._loop.time()
        for taken in self.by_notification.get(message.message_id, ()):
            if taken.listed_at_s <= now:
                return status_outcome(taken.status, taken.error_code, taken.provider_id) or Sent(
                    taken.provider_id
                )
        left_s = LAG_S - (now - called_by_s)
        return Unknown("not_listed", max(left_s, 1.0)) if left_s > 0 else Postponed("never_accepted", 0.0)

    def _go_on(self, taken: Taken) -> None:
        later_s = self._random.uniform(0.2, 3.0)
        self._status(taken, "sent", later_s / 2)
        if self._faults.happens("undelivered", 0.05):
            self._loop.call_later(later_s, self._undelivered, taken)
        else:
            self._loop.call_later(later_s, self._deliver, taken)

    def _deliver(self, taken: Taken) -> None:
        taken.status = "delivered"
        self._ring(taken.phone, taken.message)
        self._status(taken, "delivered", 0.1)

    def _undelivered(self, taken: Taken) -> None:
        taken.status, taken.error_code = "undelivered", 30003
        self._status(taken, "undelivered", 0.1)

    def _status(self, taken: Taken, status: str, after_s: float) -> None:
        outcome = status_outcome(status, 30003 if status == "undelivered" else None, taken.provider_id)
        assert outcome is not None
        if self._faults.happens("callback lost", 0.05):
            return
        if self._faults.happens("callback before the reply", 0.1):
            after_s = 0.0
        if self._faults.happens("callback late", 0.1):
            after_s += self._random.uniform(5.0, 40.0)
        self._loop.call_later(after_s, self._tell, taken.message.message_id, outcome)
        if self._faults.happens("callback twice", 0.1):
            self._loop.call_later(
                after_s + self._random.uniform(0, 5), self._tell, taken.message.message_id, outcome
            )


class SmsEdge:
    """One node's way to the provider."""

    name = "sms"
    repeatable = False

    def __init__(
        self, provider: Provider, link: Link, loop: SimLoop, faults: Faults, now_ms: Callable[[], int]
    ) -> None:
        self._provider, self._link, self._loop, self._faults = provider, link, loop, faults
        self._now_ms = now_ms

    async def send(self, message: Message, address: str) -> Outcome:
        if self._now_ms() >= message.expires_at_ms and message.purpose == "alert":
            return Failed("expired", definite=False)
        if self._faults.happens("provider unreachable", 0.03):
            return Postponed("unreachable", 2.0)
        asked_at_s = self._loop.time()
        outcome = await self._ask(lambda: self._provider.create(message, address, asked_at_s))
        return outcome if outcome is not None else Unknown("timeout", 2.0)

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:
        called_by_s = self._loop.time() - (self._now_ms() - called_by_ms) / 1000
        outcome = await self._ask(lambda: self._provider.find(message, called_by_s))
        return outcome if outcome is not None else Unknown("timeout", 2.0)

    async def _ask(self, request: Callable[[], Outcome | Taken]) -> Outcome | None:
        """None: no answer within the time-out. What the request does is not undone by that."""
        answer = self._loop.create_future()
        asked_at_s = self._loop.time()

        def arrive() -> None:
            # The connection is closed when the time is out: what is still on its way then never arrives.
            if self._loop.time() - asked_at_s >= TIMEOUT_S:
                return
            outcome = request()
            if self._faults.happens("provider hangs", 0.03):
                return
            self._link.send(lambda: None if answer.done() else answer.set_result(outcome))

        if not self._faults.happens("request to the provider lost", 0.02):
            self._link.send(arrive)
        timer = self._loop.call_later(TIMEOUT_S, lambda: None if answer.done() else answer.set_result(None))
        outcome = await answer
        timer.cancel()
        return Sent(outcome.provider_id) if isinstance(outcome, Taken) else outcome
