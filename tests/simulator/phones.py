"""Medics' phones: an app with a socket, and texts. Each has a log of its own of what it was told.

A phone rings once for an alert id, acknowledges what it gets, and its medic acts by `simulations.behaviour`.
It loses its connection without a word, comes back at another node, and says things twice.
Unrealistic: it never restarts, and so never forgets what it rang for.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from dispatch.core.commands import Refused
from dispatch.memory import DATABASE_TROUBLE
from dispatch.records import Fix, Medic
from dispatch.store.appends import Unavailable
from notify.message import Message
from simulations.behaviour import Behaviour
from tests.simulator.links import Faults, Stream
from tests.simulator.loop import SimLoop
from tests.simulator.nodes import Parts, Place

NOTICED_GONE_S = (20.0, 40.0)
"""When a node's pings find out that a phone has vanished."""
OPEN, COMING, OVER = "open", "coming", "over"


class Socket:
    """Both ends of a socket: the node's is a `notify.websocket.Connection`."""

    def __init__(self, phone: "Phone", place: Place, loop: SimLoop) -> None:
        self.phone, self._place, self._loop = phone, place, loop
        self._to_phone, self._to_node = Stream(place.to_people, loop), Stream(place.to_people, loop)
        self.inbox: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._open = True

    # --- the node's end

    def send(self, text: str) -> bool:
        if not self._open:
            return False
        self.phone.on_sent(self.phone.medic.id, text)
        self._to_phone.send(lambda: self.phone.hear(self, text))
        return True

    def close(self, code: int) -> None:
        if self._open:
            self._open = False
            self._to_phone.send(lambda: self.phone.lost(self))
            self.inbox.put_nowait(None)

    async def serve(self, parts: Parts) -> None:
        """What the service does with an open socket (`dispatch.api.socket`), without its frames' checks."""
        medic_id = self.phone.medic.id
        parts.node.hub.connect(medic_id, self)
        try:
            parts.dispatcher.socket_opened(medic_id)
            while (said := await self.inbox.get()) is not None:
                await self._take(parts, said)
        finally:
            self._open = False
            parts.node.hub.disconnect(medic_id, self)
            parts.dispatcher.socket_closed(medic_id)

    async def _take(self, parts: Parts, said: dict[str, Any]) -> None:
        medic_id = self.phone.medic.id
        try:
            if said["type"] == "ack":
                await parts.dispatcher.acknowledged(medic_id, said["id"])
            elif said["type"] == "position":
                await parts.dispatcher.moved(
                    Fix(medic_id, said["lat"], said["lon"], 10.0, parts.node.clock.now_ms())
                )
            elif said["type"] == "seen":
                await parts.dispatcher.seen(medic_id, said["alert_id"], "websocket")
            else:
                await parts.dispatcher.answer(medic_id, said["alert_id"], said["type"], "websocket")
        except (Refused, LookupError, Unavailable):
            pass  # an error frame, which the phone does not act on: it asks again where it has to

    # --- the phone's end

    def say(self, frame: dict[str, Any]) -> None:
        self._to_node.send(lambda: self.inbox.put_nowait(frame))

    def hang_up(self) -> None:
        self._to_node.send(lambda: self.inbox.put_nowait(None))
        self._to_phone.cut = True

    def vanish(self, after_s: float) -> None:
        """No more of either side reaches the other; the node finds out later."""
        self._to_phone.cut = self._to_node.cut = True
        self._loop.call_later(after_s, self.inbox.put_nowait, None)

    def broken(self) -> None:
        """The node has died."""
        self.phone.lost(self)


class Phone:
    """``on_sent(medic_id, text)`` is told of what a node puts on the socket, before it has arrived.

    ``rang``: when it rang for each alert, over which channel; ``shows``: what it shows of each.
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
        has_app: bool,
    ) -> None:
        self.medic = medic
        self.on_sent = on_sent
        self.has_app = has_app
        self._loop, self._faults, self._behaviour = loop, faults, behaviour
        self._places, self._now_ms = places, now_ms
        self._random = Random(f"{seed} {medic.id}")
        self.socket: Socket | None = None
        self.rang: dict[str, tuple[float, str]] = {}
        self.shows: dict[str, str] = {}
        self.acknowledged: dict[str, float] = {}
        self.texts: list[str] = []
        self.deleted = False
        self.changed: str | None = None
        """Suspended, opted out or deleted, by whoever tells."""
        self._nth: dict[str, int] = {}
        self._texts_sent = 0

    def begin(self) -> None:
        if self.has_app:
            self._loop.create_task(self._keep_connected())
            self._loop.create_task(self._go_about())

    # --- its connection

    async def _keep_connected(self) -> None:
        while not self.deleted:
            if self.socket is None:
                self._connect()
            await asyncio.sleep(self._random.uniform(0.5, 3.0))

    def _connect(self) -> None:
        place = self._random.choice(self._places)
        if place.parts is None or place.life is None or place.to_people.clogged:
            return
        socket = self.socket = Socket(self, place, self._loop)
        place.sockets.append(socket)
        self._loop.begin(place.life, socket.serve(place.parts), "socket")
        self._loop.create_task(self._read_alerts(place))

    async def _read_alerts(self, place: Place) -> None:
        """As the contract says: after a reconnect it reads what it is to show."""
        before = [alert_id for alert_id, state in self.shows.items() if state != OVER]
        try:
            shown = await place.ask(lambda parts: _alerts_of(parts, self.medic.id))
        except (ConnectionError, TimeoutError):
            return
        for alert_id in before:
            if alert_id not in shown:
                self.shows[alert_id] = OVER

    async def _go_about(self) -> None:
        """Now and then it loses its connection, in one way or the other, or says where it is."""
        while not self.deleted:
            await asyncio.sleep(self._random.uniform(3.0, 12.0))
            socket = self.socket
            if socket is None:
                continue
            if self._faults.happens("phone vanishes", 0.05):
                self.socket = None
                socket.vanish(self._random.uniform(*NOTICED_GONE_S))
            elif self._faults.happens("phone hangs up", 0.05):
                self.socket = None
                socket.hang_up()
            elif self._random.random() < 0.1:
                self._move(socket)

    def _move(self, socket: Socket) -> None:
        home = self.medic.places[0]
        lat, lon = (
            home.lat + self._random.uniform(-0.002, 0.002),
            home.lon + self._random.uniform(-0.002, 0.002),
        )
        socket.say({"type": "position", "lat": lat, "lon": lon})

    def lost(self, socket: Socket) -> None:
        if self.socket is socket:
            self.socket = None

    # --- what it is told

    def hear(self, socket: Socket, text: str) -> None:
        frame = json.loads(text)
        kind = frame["type"]
        if kind not in ("alert", "update", "stand_down") or self.deleted:
            return
        if kind == "stand_down":
            self.shows[frame["alert_id"]] = OVER
        elif kind == "alert":
            expires_at = datetime.fromisoformat(frame["expires_at"]).timestamp() * 1000
            self._ring(frame["alert_id"], frame["incident"]["id"], expires_at, frame["eta_s"], "websocket")
        if not self._faults.happens("phone does not acknowledge", 0.05):
            self.acknowledged.setdefault(frame["id"], self._loop.time())
            socket.say({"type": "ack", "id": frame["id"]})
            if self._faults.happens("phone acknowledges twice", 0.05):
                socket.say({"type": "ack", "id": frame["id"]})

    def text(self, message: Message) -> None:
        self.texts.append(message.message_id)
        if message.purpose == "stand_down":
            self.shows[message.alert_id] = OVER
        elif message.purpose == "alert":
            self._ring(
                message.alert_id,
                message.incident_id,
                message.expires_at_ms,
                message.eta_s,
                "sms",
                message.digits,
            )

    def _ring(
        self,
        alert_id: str,
        incident_id: str,
        expires_at: float,
        eta_s: int,
        channel: str,
        digits: tuple[str, str] | None = None,
    ) -> None:
        if alert_id in self.rang or alert_id in self.shows or self._now_ms() >= expires_at:
            return
        self.rang[alert_id] = (self._loop.time(), channel)
        self.shows[alert_id] = OPEN
        nth = self._nth[incident_id] = self._nth.get(incident_id, -1) + 1
        self._loop.create_task(self._act(alert_id, incident_id, nth, eta_s, channel, digits))

    # --- what its medic does

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
        if channel == "websocket" and self.socket is not None:
            self.socket.say({"type": "seen", "alert_id": alert_id})
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
        if self.socket is not None and self._faults.happens("says it twice", 0.1):
            self.socket.say({"type": answer, "alert_id": alert_id})
        return await self._say(alert_id, answer)

    async def _say(self, alert_id: str, word: str) -> bool:
        """Until some node has taken it, or refused it; a while. Whether it was taken."""
        for attempt in range(8):
            if self.deleted:
                return False
            place = self._random.choice(self._places)
            try:
                state = await place.ask(lambda parts: _answer(parts, self.medic.id, alert_id, word))
            except (Refused, LookupError):
                return False
            except (ConnectionError, TimeoutError, Unavailable):
                await asyncio.sleep(min(0.5 * 2**attempt, 8.0))
                continue
            if self.shows.get(alert_id) != OVER:
                self.shows[alert_id] = COMING if state in ("accepted", "arrived") else OVER
            return True
        return False

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
            except (ConnectionError, TimeoutError, Unavailable, OSError, *DATABASE_TROUBLE):
                await asyncio.sleep(min(0.5 * 2**attempt, 8.0))
                continue
            if not twice:
                return
            twice = False


async def _answer(parts: Parts, medic_id: str, alert_id: str, word: Any) -> str:
    return await parts.dispatcher.answer(medic_id, alert_id, word, "websocket")


async def _alerts_of(parts: Parts, medic_id: str) -> dict[str, str]:
    shown = await parts.dispatcher.alerts_of(medic_id)
    return {one.message.alert_id: one.state for one in shown}
