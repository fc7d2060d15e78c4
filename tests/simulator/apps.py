"""The app on one device of a medic: a socket, and what it shows. It keeps what it knows until it forgets it.

It rings once for an alert id that it does not know, acknowledges what it gets, and after each reconnect reads
what it is to show, as the contract says. It loses its connection without a word, comes back at another node,
says things twice, is installed anew and then knows nothing of what it had; one may be gone for most of a run.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Protocol

from dispatch.api.socket import Error, text_of
from dispatch.core.commands import Refused
from dispatch.records import Fix, Medic
from dispatch.store.appends import Unavailable
from tests.simulator.links import Faults, Stream
from tests.simulator.loop import SimLoop
from tests.simulator.nodes import Parts, Place

NOTICED_GONE_S = (20.0, 40.0)
"""When a node's pings find out that a device has vanished."""
LONG_GONE_S = (30.0, 100.0)
ANSWERED_S_MAX = 5.0
"""How long an app waits for the word that its answer is durable."""
OPEN, COMING, HIDDEN, DECLINED, OVER = "open", "coming", "hidden", "declined", "over"
"""What an app shows of an alert; hidden: not among those that it read, and not stood down either.

One that she declined comes back only when she goes all the same; one that is over never does."""
ASKED = ("requested", "sent", "delivered", "seen")
GOING = ("accepted", "arrived")
WHAT_IT_SHOWS = dict.fromkeys(GOING, COMING) | {"declined": DECLINED, "finished": OVER, "stood_down": OVER}
TOLD = ("alert", "update", "stand_down")


class Socket:
    """Both ends of a socket: the node's is a `notify.websocket.Connection`."""

    def __init__(self, app: "App", place: Place, loop: SimLoop) -> None:
        self.app, self.place, self._loop = app, place, loop
        self.since_s = loop.time()
        self._to_app, self._to_node = Stream(place.to_people, loop), Stream(place.to_people, loop)
        self.inbox: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._open = True

    # --- the node's end

    def send(self, text: str) -> bool:
        if not self._open:
            return False
        self.app.on_sent(self.app.medic.id, text)
        self._to_app.send(lambda: self.app.hear(self, text))
        return True

    def close(self, code: int) -> None:
        if self._open:
            self._open = False
            self._to_app.send(lambda: self.app.lost(self))
            self.inbox.put_nowait(None)

    async def serve(self, parts: Parts) -> None:
        """What the service does with an open socket (`dispatch.api.socket`), without its frames' checks."""
        medic_id = self.app.medic.id
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
        try:
            await self._taken(parts, said)
        except (Refused, LookupError, Unavailable) as error:
            code = error.code if isinstance(error, Refused) else type(error).__name__
            self.send(text_of(Error(code, "", said.get("alert_id"))))

    async def _taken(self, parts: Parts, said: dict[str, Any]) -> None:
        medic_id, alert_id = self.app.medic.id, said.get("alert_id", "")
        if said["type"] == "ack":
            await parts.dispatcher.acknowledged(medic_id, said["id"])
        elif said["type"] == "position":
            await parts.dispatcher.moved(
                Fix(medic_id, said["lat"], said["lon"], 10.0, parts.node.clock.now_ms())
            )
        elif said["type"] == "seen":
            await parts.dispatcher.seen(medic_id, alert_id, "websocket")
        else:
            told = await parts.dispatcher.answer(medic_id, alert_id, said["type"], "websocket")
            parts.node.hub.tell_answered(medic_id, told)

    # --- the app's end

    def say(self, frame: dict[str, Any]) -> None:
        self._to_node.send(lambda: self.inbox.put_nowait(frame))

    def hang_up(self) -> None:
        self._to_node.send(lambda: self.inbox.put_nowait(None))
        self._to_app.cut = True

    def vanish(self, after_s: float) -> None:
        """No more of either side reaches the other; the node finds out later."""
        self._to_app.cut = self._to_node.cut = True
        self._loop.call_later(after_s, self.inbox.put_nowait, None)

    def broken(self) -> None:
        """The node has died."""
        self.app.lost(self)


class Owner(Protocol):
    """Whose device it is."""

    deleted: bool

    def rings(
        self, alert_id: str, incident_id: str, eta_s: int, channel: str, digits: tuple[str, str] | None = None
    ) -> None: ...

    def acknowledges(self, message_id: str) -> None: ...

    def is_reminded(self, alert_id: str) -> None: ...


class App:
    """``on_sent(medic_id, text)`` is told of what a node puts on the socket, before it has arrived.

    ``shows``: what it shows of each alert that it knows; ``read_at_s``: when it read what it is to show over
    the connection that it has.
    """

    def __init__(
        self,
        name: str,
        medic: Medic,
        owner: Owner,
        *,
        loop: SimLoop,
        faults: Faults,
        seed: object,
        places: list[Place],
        now_ms: Callable[[], int],
        on_sent: Callable[[str, str], None],
        long_gone: bool,
    ) -> None:
        self.name, self.medic, self.on_sent = name, medic, on_sent
        self._owner = owner
        self._loop, self._faults = loop, faults
        self._places, self._now_ms = places, now_ms
        self._random = Random(f"{seed} {name}")
        self._long_gone, self._away_until_s = long_gone, 0.0
        self.socket: Socket | None = None
        self.read_at_s: float | None = None
        self.shows: dict[str, str] = {}
        self._waits: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def begin(self) -> None:
        self._loop.create_task(self._keep_connected())
        self._loop.create_task(self._go_about())

    # --- its connection

    async def _keep_connected(self) -> None:
        while not self._owner.deleted:
            if self.socket is None and self._loop.time() >= self._away_until_s:
                self._connect()
            await asyncio.sleep(self._random.uniform(0.5, 3.0))

    def _connect(self) -> None:
        place = self._random.choice(self._places)
        if place.parts is None or place.life is None or place.to_people.clogged:
            return
        socket = self.socket = Socket(self, place, self._loop)
        self.read_at_s = None
        place.sockets.append(socket)
        self._loop.begin(place.life, socket.serve(place.parts), "socket")
        self._loop.create_task(self._read_alerts(socket))

    async def _read_alerts(self, socket: Socket) -> None:
        """As the contract says: after a reconnect it reads what it is to show, until it has."""
        while self.socket is socket:
            before = [alert_id for alert_id, state in self.shows.items() if state not in (DECLINED, OVER)]
            try:
                items = await socket.place.ask(lambda parts: parts.devices.alerts(self.medic.id))
            except (ConnectionError, TimeoutError):
                await asyncio.sleep(self._random.uniform(0.5, 3.0))
                continue
            if self.socket is socket:
                self._show(items, before)
                self.read_at_s = self._loop.time()
            return

    def _show(self, items: list[dict[str, Any]], before: list[str]) -> None:
        listed = {one["alert_id"]: one for one in items}
        for alert_id in before:
            if alert_id not in listed and self.shows.get(alert_id) not in (DECLINED, OVER):
                self.shows[alert_id] = HIDDEN
        for alert_id, one in listed.items():
            known = self.shows.get(alert_id)
            if known in (None, HIDDEN):
                if one["state"] in ASKED:
                    self._alert(one)
                else:  # missed ones too are shown, and rung for no more
                    self.shows[alert_id] = COMING if one["state"] in GOING else OPEN
            if known is None and one["state"] in GOING:
                self._owner.is_reminded(alert_id)

    async def _go_about(self) -> None:
        """Now and then it loses its connection, in one way or the other, or says where it is."""
        while not self._owner.deleted:
            await asyncio.sleep(self._random.uniform(3.0, 12.0))
            socket = self.socket
            if socket is None:
                continue
            if self._faults.happens("phone vanishes", 0.05):
                self._vanish(socket)
            elif self._faults.happens("phone hangs up", 0.05):
                self.socket = None
                socket.hang_up()
            elif self._faults.happens("phone forgets everything", 0.03):
                self._forget()
            elif self._long_gone and self._faults.happens("one of her devices gone for long", 0.3):
                self._away_until_s = self._loop.time() + self._random.uniform(*LONG_GONE_S)
                self._vanish(socket)
            elif self._random.random() < 0.1:
                self._move(socket)

    def _vanish(self, socket: Socket) -> None:
        self.socket = None
        socket.vanish(self._random.uniform(*NOTICED_GONE_S))

    def is_installed_anew(self) -> None:
        self._faults.count("phone forgets everything")
        self._forget()

    def _forget(self) -> None:
        """It connects as one that never was there."""
        socket, self.socket = self.socket, None
        self.shows = {}
        if socket is None:
            return
        if self._random.random() < 0.5:
            socket.hang_up()
        else:
            socket.vanish(self._random.uniform(*NOTICED_GONE_S))

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
        if self._owner.deleted:
            return
        if kind in ("answered", "error"):
            self._hear_what_became(frame)
        elif kind in TOLD and self.socket is socket:
            if kind == "stand_down":
                self.shows[frame["alert_id"]] = OVER
            else:
                self._alert(frame)
            self._acknowledge(socket, frame["id"])

    def _alert(self, frame: dict[str, Any]) -> None:
        """An alert, or an update of one: shown, and rung for once, but not after its time."""
        alert_id, known = frame["alert_id"], self.shows.get(frame["alert_id"])
        if known == HIDDEN:
            self.shows[alert_id] = OPEN
        expires_at = datetime.fromisoformat(frame["expires_at"]).timestamp() * 1000
        if known is not None or self._now_ms() >= expires_at:
            return
        self.shows[alert_id] = OPEN
        if frame["type"] == "alert":
            self._owner.rings(alert_id, frame["incident"]["id"], frame["eta_s"], "websocket")

    def _acknowledge(self, socket: Socket, message_id: str) -> None:
        if self._faults.happens("phone does not acknowledge", 0.05):
            return
        self._owner.acknowledges(message_id)
        socket.say({"type": "ack", "id": message_id})
        if self._faults.happens("phone acknowledges twice", 0.05):
            socket.say({"type": "ack", "id": message_id})

    def _hear_what_became(self, frame: dict[str, Any]) -> None:
        waits = self._waits.get(frame.get("alert_id", ""))
        if waits is not None and not waits.done():
            waits.set_result(frame)
        if frame["type"] == "answered":
            self.answered(frame["alert_id"], frame["state"])

    def answered(self, alert_id: str, state: str) -> None:
        """What became of an alert, by her answer."""
        if self.shows.get(alert_id, OVER) != OVER and state in WHAT_IT_SHOWS:
            self.shows[alert_id] = WHAT_IT_SHOWS[state]

    # --- what is said over it

    async def say(self, alert_id: str, word: str) -> tuple[str, str]:
        """Over its socket; the alert and its state.

        Raises Refused, LookupError, ConnectionError, TimeoutError.
        """
        socket = self.socket
        if socket is None:
            raise ConnectionError("no socket")
        waits = self._waits[alert_id] = self._loop.create_future()
        socket.say({"type": word, "alert_id": alert_id})
        async with asyncio.timeout(ANSWERED_S_MAX):
            told = await waits
        if told["type"] == "answered":
            return told["alert_id"], told["state"]
        if told["code"] in ("LookupError", "Unavailable"):
            raise ConnectionError(told["code"])
        raise Refused(told["code"])
