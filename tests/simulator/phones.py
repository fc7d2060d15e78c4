"""A medic with her devices: apps, of which she may have several, and a phone for texts. With a log.

She acts on an alert once, by `simulations.behaviour`, whichever device rings first, and answers over a
socket, over HTTP or by SMS. Where no word comes back she says it again, over whatever there is; reminded by
an app that has forgotten it, she says again what she had said.
"""

import asyncio
from collections.abc import Callable
from random import Random

from dispatch.core.commands import Refused
from dispatch.records import Medic
from dispatch.store.appends import Unavailable
from dispatch.store.trouble import DATABASE_TROUBLE
from notify.message import Message
from simulations.behaviour import Behaviour
from tests.simulator.apps import App
from tests.simulator.links import Faults
from tests.simulator.loop import SimLoop
from tests.simulator.nodes import Parts, Place

HOW_MANY_APPS = (1, 1, 1, 2, 2, 3)
GONE = (ConnectionError, TimeoutError, Unavailable)


class Phone:
    """``on_sent(medic_id, text)`` is told of what a node puts on a socket, before it has arrived;
    ``on_refused(alert_id, word, asked_at)`` of an answer that was not taken, before she hears of it.

    ``rang``: when the first of her devices rang for each alert, over which channel.
    """

    def __init__(
        self,
        medic: Medic,
        *,
        loop: SimLoop,
        faults: Faults,
        seed: object,
        behaviour: Behaviour,
        places: list[Place],
        now_ms: Callable[[], int],
        on_sent: Callable[[str, str], None],
        on_refused: Callable[[str, str, int], None],
        asked_at: Callable[[str], int],
        has_app: bool,
    ) -> None:
        self.medic = medic
        self._loop, self._faults, self._behaviour = loop, faults, behaviour
        self._places, self._now_ms = places, now_ms
        self._on_refused, self._asked_at = on_refused, asked_at
        self._random = Random(f"{seed} {medic.id}")
        count = self._random.choice(HOW_MANY_APPS) if has_app else 0
        self.apps = [
            App(
                f"{medic.id} app {i}",
                medic,
                self,
                loop=loop,
                faults=faults,
                seed=seed,
                places=places,
                now_ms=now_ms,
                on_sent=on_sent,
                long_gone=0 < i == count - 1,
            )
            for i in range(count)
        ]
        self.rang: dict[str, tuple[float, str]] = {}
        self.acknowledged: dict[str, float] = {}
        self.texts: list[str] = []
        self.deleted = False
        self.changed: str | None = None
        """Suspended, opted out or deleted, by whoever tells."""
        self._over: dict[str, None] = {}
        self._said: dict[str, str] = {}
        self._nth: dict[str, int] = {}
        self._texts_sent = 0

    def begin(self) -> None:
        for app in self.apps:
            app.begin()

    # --- what her devices do

    def acknowledges(self, message_id: str) -> None:
        self.acknowledged.setdefault(message_id, self._loop.time())

    def text(self, message: Message) -> None:
        self.texts.append(message.message_id)
        if message.purpose == "stand_down":
            self._over[message.alert_id] = None
        elif message.purpose == "alert" and self._now_ms() < message.expires_at_ms:
            self.rings(message.alert_id, message.incident_id, message.eta_s, "sms", message.digits)

    def rings(
        self, alert_id: str, incident_id: str, eta_s: int, channel: str, digits: tuple[str, str] | None = None
    ) -> None:
        """She acts on what rings first; of another device she knows what it is about."""
        if alert_id in self._over:
            return
        if alert_id in self.rang:
            self.is_reminded(alert_id)
            return
        self.rang[alert_id] = (self._loop.time(), channel)
        nth = self._nth[incident_id] = self._nth.get(incident_id, -1) + 1
        self._loop.create_task(self._act(alert_id, incident_id, nth, eta_s, channel, digits))

    def is_reminded(self, alert_id: str) -> None:
        """A device shows anew what she has answered: she may answer again."""
        said = self._said.get(alert_id)
        if said is not None and self._faults.happens("answer given again on being reminded", 0.5):
            self._loop.create_task(self._say_again(alert_id, said))

    async def _say_again(self, alert_id: str, said: str) -> None:
        await asyncio.sleep(self._random.uniform(0.5, 3.0))
        if self._said.get(alert_id) == said:  # she would not accept what she has declined since
            await self._say(alert_id, said)

    # --- what she does

    async def _act(
        self,
        alert_id: str,
        incident_id: str,
        nth: int,
        eta_s: int,
        channel: str,
        digits: tuple[str, str] | None,
    ) -> None:
        plan = self._behaviour.plan(incident_id, self.medic.id, nth)
        if plan.notice_s is None:
            return
        await asyncio.sleep(plan.notice_s)
        if channel == "websocket" and (app := self._connected()) is not None and app.socket is not None:
            app.socket.say({"type": "seen", "alert_id": alert_id})
        if plan.answer is None or plan.answer_s is None:
            return
        await asyncio.sleep(max(plan.answer_s - plan.notice_s, 0.0))
        taken = await self._answer(alert_id, plan.answer, channel, digits)
        if plan.answer == "decline" or not taken:
            return
        travel_s = min(plan.travel_s(eta_s), 60.0)
        if plan.after == "goes_silent":
            return
        if plan.after == "withdraws":
            await asyncio.sleep(travel_s * plan.gives_up_share)
            await self._say(alert_id, "decline")
            return
        await asyncio.sleep(travel_s)
        if self._random.random() < 0.05:
            await self._say(alert_id, "unsafe")
        if await self._say(alert_id, "arrived"):
            await asyncio.sleep(plan.on_scene_s)
            await self._say(alert_id, "finished")

    async def _answer(self, alert_id: str, answer: str, channel: str, digits: tuple[str, str] | None) -> bool:
        if channel == "sms" and digits is not None and self._random.random() < 0.8:
            await self._text_back(digits[0] if answer == "accept" else digits[1])
            return answer == "accept"
        app = self._connected()
        if app is not None and app.socket is not None and self._faults.happens("says it twice", 0.1):
            app.socket.say({"type": answer, "alert_id": alert_id})
        return await self._say(alert_id, answer)

    async def _say(self, alert_id: str, word: str) -> bool:
        """Until some node has taken it, or refused it; a while. Whether it was taken."""
        if word != "unsafe":
            self._said[alert_id] = word
        way = ""
        for attempt in range(8):
            if self.deleted:
                return False
            if way:
                self._faults.count(f"answer said again, after no word {way}")
            app = self._connected() if self._random.random() < 0.4 else None
            way = "over HTTP" if app is None else "over the socket"
            try:
                if app is not None:
                    told = await app.say(alert_id, word)
                else:
                    told = await self._post(alert_id, word)
            except (Refused, LookupError):
                return False
            except GONE:
                await asyncio.sleep(min(0.5 * 2**attempt, 8.0))
                continue
            for one in self.apps:
                one.answered(*told)
            return True
        return False

    async def _post(self, alert_id: str, word: str) -> tuple[str, str]:
        """At some node; or at two at the same time."""
        place = self._random.choice(self._places)
        if self._faults.happens("answer over HTTP at two nodes at once", 0.05):
            other = self._random.choice(self._places)
            self._loop.create_task(self._post_and_forget(other, alert_id, word))
        return await self._post_at(place, alert_id, word)

    async def _post_and_forget(self, place: Place, alert_id: str, word: str) -> None:
        try:
            await self._post_at(place, alert_id, word)
        except (Refused, LookupError, *GONE):
            return

    async def _post_at(self, place: Place, alert_id: str, word: str) -> tuple[str, str]:
        asked_at = self._asked_at(alert_id)

        async def say(parts: Parts) -> tuple[str, str]:
            try:
                return await parts.devices.say(self.medic.id, alert_id, word)
            except Refused:
                self._on_refused(alert_id, word, asked_at)
                raise

        return await place.ask(say)

    async def _text_back(self, digit: str) -> None:
        """The provider brings it, again and again until it is taken, and sometimes twice."""
        self._texts_sent += 1
        provider_id = f"IN{self.medic.id}{self._texts_sent}"
        twice = self._faults.happens("text brought twice", 0.1)
        for attempt in range(8):
            place = self._random.choice(self._places)
            try:
                await place.ask(
                    lambda parts: parts.dispatcher.answered_by_sms(self.medic.phone, digit, provider_id)
                )
            except (*GONE, OSError, *DATABASE_TROUBLE):
                await asyncio.sleep(min(0.5 * 2**attempt, 8.0))
                continue
            if not twice:
                return
            twice = False

    def _connected(self) -> App | None:
        """Some app of hers with a socket, as far as it knows."""
        apps = [app for app in self.apps if app.socket is not None]
        return self._random.choice(apps) if apps else None
