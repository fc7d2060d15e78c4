"""The `websocket` channel: which medics have a socket on this node, and what they have not acknowledged.

Pure bookkeeping over connections that someone else reads and writes; nothing here waits. A socket that
cannot keep up is dropped (1013) rather than buffered for, since its device gets everything again when it
comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from notify.channel import Failed, Outcome, Postponed, Sent
from notify.message import Message, answered, frame

RESTART = 1012
OVERLOADED = 1013


class _Kept(NamedTuple):
    message_id: str
    purpose: str
    text: str


class Connection(Protocol):
    """One open socket of a medic."""

    def send(self, text: str) -> bool:
        """Take a text frame without waiting; False when its bounded buffer is full or it is gone."""
        ...

    def close(self, code: int) -> None:
        """Begin to close with a websocket close code; may be called again, to no effect."""
        ...


class SocketHub:
    """The sockets of this node by medic, as a `Channel` whose address is the medic's id.

    A message put on a socket is kept until `acknowledged`, and a socket that appears gets it again. A later
    message of the same alert replaces an earlier one, but an update not the alert itself. Kept for at most
    `medics_kept_max` medics, the longest kept given up first, and `alerts_kept_max` alerts of each. A medic
    has at most `sockets_max` sockets, so that one token can not take all of a node's: a further one ends her
    oldest.

    `on_presence(medic_id, connected)` is called when her first socket appears and her last one has gone.
    """

    name = "websocket"
    repeatable = True

    def __init__(
        self,
        on_presence: Callable[[str, bool], None] | None = None,
        *,
        medics_kept_max: int = 20_000,
        alerts_kept_max: int = 16,
        sockets_max: int = 16,
    ) -> None:
        self._on_presence = on_presence
        self._medics_kept_max = medics_kept_max
        self._alerts_kept_max = alerts_kept_max
        self._sockets_max = sockets_max
        # A tuple per medic takes a quarter of a set's memory, and nearly everybody has one socket.
        self._connections: dict[str, tuple[Connection, ...]] = {}
        # medic -> alert -> what she lacks of it, both in the order of their last message
        self._kept: dict[str, dict[str, tuple[_Kept, ...]]] = {}
        self._count = 0
        self._closing: int | None = None

    def connect(self, medic_id: str, connection: Connection) -> None:
        """A socket said hello. It gets what she has not acknowledged; at a shutdown it is closed at once."""
        if self._closing is not None:
            connection.close(self._closing)
            return
        present = self._connections.get(medic_id, ())
        if len(present) >= self._sockets_max:  # the oldest may be one whose device is long gone
            self.disconnect(medic_id, present[0])
            present[0].close(OVERLOADED)
            present = present[1:]
        self._connections[medic_id] = (*present, connection)
        self._count += 1
        if not present:
            self._tell(medic_id, True)
        self._resend(medic_id, connection)

    def disconnect(self, medic_id: str, connection: Connection) -> None:
        """A socket has gone; unknown ones are ignored, so that every way out may say so."""
        present = self._connections.get(medic_id, ())
        left = tuple(other for other in present if other is not connection)
        if len(left) == len(present):
            return
        self._count -= 1
        if left:
            self._connections[medic_id] = left
            return
        del self._connections[medic_id]
        self._tell(medic_id, False)

    def connected(self, medic_id: str) -> bool:
        """Has she a socket on this node?"""
        return medic_id in self._connections

    def count(self) -> int:
        """Open sockets on this node."""
        return self._count

    def medics(self) -> list[str]:
        """The medics with a socket on this node."""
        return list(self._connections)

    def put(self, medic_id: str, message: Message, text: str | None = None) -> Outcome:
        """Put a message on all her sockets: `Sent`, or `Failed("no_socket")` when none took it.

        `text`: its frame, where that was made before.
        """
        present = self._connections.get(medic_id)
        if text is None:
            text = frame(message) if present else ""
        taken = [self._offer(medic_id, connection, text) for connection in present or ()]
        if not any(taken):
            # Her next socket is asked for afresh; what this message replaces must not reach it.
            self.forget(medic_id, message.alert_id)
            return Failed("no_socket")
        self._keep(medic_id, message, text)
        return Sent()

    async def send(self, message: Message, address: str) -> Outcome:
        """`put`, for the sender of every channel."""
        return self.put(address, message)

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:  # noqa: ARG002
        """Devices know a repeat by its id: simply send it again."""
        return Postponed("repeatable", 0.0)

    def tell(self, medic_id: str, text: str) -> None:
        """Put a frame without an id (`answered` on another of her devices) on all her sockets, unkept."""
        for connection in self._connections.get(medic_id, ()):
            self._offer(medic_id, connection, text)

    def tell_answered(self, medic_id: str, told: Iterable[tuple[str, str]]) -> None:
        """Tell all her sockets what an answer of hers made of these alerts: ids and states."""
        if self.connected(medic_id):
            for alert_id, state in told:
                self.tell(medic_id, answered(alert_id, state))

    def acknowledged(self, medic_id: str, message_id: str) -> bool:
        """One of her devices has this message: not sent again. False if it was not waited for."""
        kept = self._kept.get(medic_id, {})
        for alert_id, waiting in kept.items():
            left = tuple(one for one in waiting if one.message_id != message_id)
            if len(left) == len(waiting):
                continue
            if left:
                kept[alert_id] = left
            else:
                self.forget(medic_id, alert_id)
            return True
        return False

    def keeps(self, medic_id: str, message_id: str) -> bool:
        """Is this message waiting for her acknowledgement?"""
        kept = self._kept.get(medic_id, {}).values()
        return any(one.message_id == message_id for waiting in kept for one in waiting)

    def forget(self, medic_id: str, alert_id: str | None = None) -> None:
        """Keep nothing (of one alert) for her any longer: another node has her now, or the alert is over."""
        kept = self._kept.get(medic_id)
        if kept is None:
            return
        if alert_id is None:
            kept.clear()
        else:
            kept.pop(alert_id, None)
        if not kept:
            del self._kept[medic_id]

    def close_medic(self, medic_id: str, code: int) -> None:
        """Close all her sockets (her tokens were revoked); each says `disconnect` when it has gone."""
        for connection in self._connections.get(medic_id, ()):
            connection.close(code)

    def close_all(self, code: int = RESTART) -> None:
        """Close every socket, and every later one at once."""
        self._closing = code
        self.send_away(code)

    def send_away(self, code: int = RESTART) -> None:
        """Close every socket that there is now; their devices may come back."""
        for medic_id in self.medics():
            self.close_medic(medic_id, code)

    def _offer(self, medic_id: str, connection: Connection, text: str) -> bool:
        if connection.send(text):
            return True
        self.disconnect(medic_id, connection)
        connection.close(OVERLOADED)
        return False

    def _keep(self, medic_id: str, message: Message, text: str) -> None:
        kept = self._kept.pop(medic_id, {})
        self._kept[medic_id] = kept  # now the last, so the last to be given up
        before = kept.pop(message.alert_id, ())
        stay = tuple(one for one in before if message.purpose == "update" and one.purpose == "alert")
        kept[message.alert_id] = (*stay, _Kept(message.message_id, message.purpose, text))
        if len(kept) > self._alerts_kept_max:
            del kept[next(iter(kept))]
        if len(self._kept) > self._medics_kept_max:
            del self._kept[next(iter(self._kept))]

    def _resend(self, medic_id: str, connection: Connection) -> None:
        for waiting in list(self._kept.get(medic_id, {}).values()):
            for one in waiting:
                if not self._offer(medic_id, connection, one.text):
                    return

    def _tell(self, medic_id: str, connected: bool) -> None:
        if self._on_presence is not None:
            self._on_presence(medic_id, connected)
