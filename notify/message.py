"""One message to one medic, and its frame on a socket.

What the same message says in an SMS is in `texts.py`.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

import msgspec

from notify.times import rfc3339

Purpose = Literal["alert", "update", "stand_down"]
Instruction = Literal["go", "wait"]
Travel = Literal["estimate", "street"]
Language = Literal["nl", "en"]

# Letters without vowels spell no word, neither a rude one nor one that a carrier acts on.
_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH = 6


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Degrees, WGS84."""

    lat: float
    lon: float
    accuracy_m: float | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that any channel may say about one alert. Times are epoch milliseconds.

    `message_id` is the notification's id: stable over nodes and restarts, so that a device and a provider's
    list can tell a repeat. `reason` belongs to a stand-down, `digits` (accept, decline) to a channel without
    buttons.
    """

    message_id: str
    alert_id: str
    purpose: Purpose
    incident_id: str
    kind: str
    position: Position
    address: str | None
    directions: str | None
    drill: bool
    role: str
    instruction: Instruction
    distance_m: int
    eta_s: int
    travel: Travel
    expires_at_ms: int
    language: Language
    reason: str | None = None
    digits: tuple[str, str] | None = None

    @property
    def code(self) -> str:
        """The short code in an SMS by which a sent one is found again."""
        return short_code(self.message_id)


def short_code(notification_id: str) -> str:
    """Six consonants (64 million) that stand for a notification among one medic's recent messages."""
    number = int.from_bytes(hashlib.sha256(notification_id.encode()).digest()[:8], "big")
    letters = []
    for _ in range(_CODE_LENGTH):
        number, index = divmod(number, len(_CODE_LETTERS))
        letters.append(_CODE_LETTERS[index])
    return "".join(letters)


class Framed(NamedTuple):
    """A message, and its text for a socket."""

    message: Message
    text: str


class _Incident(msgspec.Struct, frozen=True):
    id: str
    kind: str
    position: Position
    address: str | None
    directions: str | None
    drill: bool


class _Alert(msgspec.Struct, frozen=True):
    type: str
    id: str
    alert_id: str
    incident: _Incident
    role: str
    instruction: Instruction
    distance_m: int
    eta_s: int
    travel: Travel
    expires_at: str


class _StandDown(msgspec.Struct, frozen=True):
    type: str
    id: str
    alert_id: str
    reason: str | None


class _Answered(msgspec.Struct, frozen=True, tag_field="type", tag="answered"):
    alert_id: str
    state: str


_encoder = msgspec.json.Encoder()


def frame(message: Message) -> str:
    """The JSON text frame of a message, as the socket protocol has it: `alert`, `update` or `stand_down`."""
    body = _stand_down(message) if message.purpose == "stand_down" else _alert(message)
    return _encoder.encode(body).decode()


def answered(alert_id: str, state: str) -> str:
    """The text frame that tells a device what her answer, on whichever of her devices, made of an alert."""
    return _encoder.encode(_Answered(alert_id, state)).decode()


def _stand_down(message: Message) -> _StandDown:
    return _StandDown("stand_down", message.message_id, message.alert_id, message.reason)


def _alert(message: Message) -> _Alert:
    incident = _Incident(
        message.incident_id,
        message.kind,
        message.position,
        message.address,
        message.directions,
        message.drill,
    )
    return _Alert(
        message.purpose,
        message.message_id,
        message.alert_id,
        incident,
        message.role,
        message.instruction,
        message.distance_m,
        message.eta_s,
        message.travel,
        rfc3339(message.expires_at_ms),
    )
