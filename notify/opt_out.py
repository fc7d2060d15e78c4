"""The words by which a carrier or Twilio blocks a sender for good when a phone answers with them alone.

Twilio: "Support for opt-out keywords"; ARRET and its spellings from its Proxy documentation. The Dutch ones
are those that senders add with Advanced Opt-Out. None may occur in what we send, and one in a reply means
that the channel is blocked from now on (error 21610).
"""

from __future__ import annotations

from typing import Literal

# Those that Twilio itself acts on, whatever the sender has set up.
TWILIO_OPT_OUT = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"))
TWILIO_OPT_IN = frozenset(("START", "YES", "UNSTOP"))
OPT_OUT = TWILIO_OPT_OUT | frozenset(
    ("STOPPEN", "AFMELDEN", "UITSCHRIJVEN", "ANNULEREN", "ARRET", "ARRETE", "ARRETT")
)


def read_opt(text: str) -> Literal["out", "in"] | None:
    """Does this reply block (`out`) or unblock (`in`) the sender at Twilio? Only a single word alone does."""
    word = text.strip().upper()
    if word in TWILIO_OPT_OUT:
        return "out"
    return "in" if word in TWILIO_OPT_IN else None
