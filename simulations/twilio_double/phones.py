"""Virtual phones: what came in, and what their owners send back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

# Twilio: "Support for opt-out keywords". A keyword counts only when it is the whole text.
OPT_OUT_WORDS = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"))
OPT_IN_WORDS = frozenset(("START", "YES", "UNSTOP"))


@dataclass(frozen=True)
class Text:
    """An SMS as it arrived on a phone; `at_s` by the double's time."""

    sid: str
    phone: str
    sender: str
    body: str
    segments: int
    at_s: float


@dataclass
class VirtualPhone:
    """One phone. A test or a simulated medic sets what it is and what happens when a text arrives."""

    number: str
    send_reply: Callable[[VirtualPhone, str], Awaitable[int | None]] = field(repr=False)
    inbox: list[Text] = field(default_factory=list)
    refused_with: int | None = None  # creates to it fail with this code: 21614, a landline
    undelivered_with: int | None = None  # the carrier gives up with this code: 30003, switched off
    reported: bool = True  # False: texts arrive, but the network never says so
    called_back: bool = True  # False: what becomes of its messages is told when asked, and not by callbacks
    on_text: Callable[[Text], None] | None = None
    blocked_senders: set[str] = field(default_factory=set)

    async def reply(self, body: str) -> int | None:
        """Text back to whoever texted last. Returns the webhook's HTTP status; None if it was not reached."""
        return await self.send_reply(self, body)

    def heed(self, body: str, sender: str) -> None:
        """Block or unblock a sender, as Twilio does on its keywords."""
        word = body.strip().upper()
        if word in OPT_OUT_WORDS:
            self.blocked_senders.add(sender)
        elif word in OPT_IN_WORDS:
            self.blocked_senders.discard(sender)

    def receive(self, text: Text) -> None:
        """A text arrives."""
        self.inbox.append(text)
        if self.on_text is not None:
            self.on_text(text)
