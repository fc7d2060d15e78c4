"""What a device sends over its socket: JSON text frames, each an object whose ``type`` names it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from dispatch.api import shapes
from dispatch.core.events import Answer
from dispatch.ids import may_be_id

FRAME_BYTES_MAX = 16 * 1024


class BadFrame(Exception):
    """This is none of the protocol's frames: the socket is closed."""


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """A frame of a device."""


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame, within five seconds."""

    token: str


class Ack(Frame, frozen=True, tag="ack"):
    """The device has the message with this id."""

    id: str


class Position(Frame, frozen=True, tag="position"):
    lat: shapes.Lat
    lon: shapes.Lon
    at: shapes.Time
    accuracy_m: shapes.AccuracyM | None = None


class AboutAlert(Frame, frozen=True):
    alert_id: str


class Seen(AboutAlert, frozen=True, tag="seen"):
    pass


class Accept(AboutAlert, frozen=True, tag="accept"):
    pass


class Decline(AboutAlert, frozen=True, tag="decline"):
    pass


class Arrived(AboutAlert, frozen=True, tag="arrived"):
    pass


class Finished(AboutAlert, frozen=True, tag="finished"):
    pass


class Unsafe(AboutAlert, frozen=True, tag="unsafe"):
    pass


AnyFrame: TypeAlias = Hello | Ack | Position | Seen | Accept | Decline | Arrived | Finished | Unsafe
ANSWER_OF: Mapping[type[Frame], Answer] = {
    Accept: "accept",
    Decline: "decline",
    Arrived: "arrived",
    Finished: "finished",
    Unsafe: "unsafe",
}
_decoder: msgspec.json.Decoder[AnyFrame] = msgspec.json.Decoder(AnyFrame)


def read(received: Mapping[str, Any]) -> AnyFrame:
    """The frame of an ASGI message. Raises BadFrame: binary, no JSON, unknown, too deep, out of bounds."""
    text = received.get("text")
    if text is None:
        raise BadFrame
    try:
        frame = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadFrame from None
    named = frame.id if isinstance(frame, Ack) else getattr(frame, "alert_id", "-")
    if not may_be_id(named):
        raise BadFrame
    return frame
