"""What every channel promises, and the four things that can come of a send.

The difference that matters is between *certainly not sent* (`Failed`, `Postponed`) and *perhaps sent*
(`Unknown`). Only the first may be followed by another send of the same notification on a channel whose
receiver cannot tell a repeat; the second is asked of the provider with `look_up`.

A sender needs no more than this::

    outcome = await channel.send(message, address)
    match outcome:
        case Sent():       settle it; with `delivered`, it is on her phone
        case Failed():     settle it; with `definite`, the next rung starts at once
        case Postponed():  the same notification again after `after_s`, until it expires
        case Unknown():    repeatable channel: send again. Otherwise `look_up` after `after_s`, whose
                           outcome is read exactly like this one
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import msgspec

from notify.message import Message


class Sent(msgspec.Struct, frozen=True):
    """Handed over. `provider_id` finds it again at the provider; `delivered`: a machine of hers has it."""

    provider_id: str | None = None
    delivered: bool = False


class Failed(msgspec.Struct, frozen=True):
    """Certainly not received, and not tried again. `definite`: she cannot be reached on this channel."""

    reason: str
    definite: bool = True


class Postponed(msgspec.Struct, frozen=True):
    """Certainly not sent, through no fault of hers: may be tried again after `after_s`."""

    reason: str
    after_s: float


class Unknown(msgspec.Struct, frozen=True):
    """Perhaps sent: never blindly repeated. The provider can be asked, at the earliest after `after_s`."""

    reason: str
    after_s: float


Outcome: TypeAlias = Sent | Failed | Postponed | Unknown


class Channel(Protocol):
    """One way to a phone. Neither call raises (but for a cancellation), and both end within a known time."""

    @property
    def name(self) -> str:
        """The word in policies and events: `websocket`, `sms`, ..."""
        ...

    @property
    def repeatable(self) -> bool:
        """The receiver knows a repeat by its message id, so what has no outcome may simply be sent again."""
        ...

    async def send(self, message: Message, address: str) -> Outcome:
        """Bring `message` to `address` (what that is, is the channel's: a medic's id, a phone number)."""
        ...

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:
        """Ask the provider what became of a message handed over by `called_by_ms` (epoch, ms), if it was.

        `Postponed` means that it never accepted it, so that it may be sent; `Unknown`: it cannot tell yet.
        """
        ...
