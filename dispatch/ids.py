"""Ids: opaque to clients, and how ours are made and read.

An incident's id is time-ordered and random, so that new rows land beside each other and none can be guessed:
48 bits of milliseconds and 80 of chance, as 26 small letters and digits. It holds no '-', which makes an
alert's id ``INCIDENT-N``, a notification's ``INCIDENT-N-K`` and an event's ``INCIDENT_SEQ`` readable again.
At most 40 of letters, digits, '-' and '_', as the contract says.
"""

import re
import secrets  # noqa: TID251 (the one source of chance; all others are given it)
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

RandBits: TypeAlias = Callable[[int], int]
"""Gives that many bits of chance."""
CHANCE: RandBits = secrets.randbits

# Crockford's base 32, https://www.crockford.com/base32.html: no i, l, o or u to misread.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_ALERT = re.compile(r"([0-9a-z]{1,26})-([1-9][0-9]{0,5})")
_NOTIFICATION = re.compile(r"([0-9a-z]{1,26})-([1-9][0-9]{0,5})-([1-9][0-9]{0,5})")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,40}")


class AlertId(NamedTuple):
    """Which alert of which incident."""

    incident_id: str
    n: int


class NotificationId(NamedTuple):
    """Which notification of which alert."""

    incident_id: str
    n: int
    k: int


def new_incident_id(at_ms: int, randbits: RandBits = CHANCE) -> str:
    """An id that sorts by ``at_ms``."""
    return _text((at_ms & (1 << 48) - 1) << 80 | randbits(80))


def new_id(randbits: RandBits = CHANCE) -> str:
    """A random id (of a medic, a key, a control room, a node) that tells nothing."""
    return _text(randbits(128))


def alert_id(incident_id: str, n: int) -> str:
    return f"{incident_id}-{n}"


def notification_id(incident_id: str, n: int, k: int) -> str:
    return f"{incident_id}-{n}-{k}"


def event_id(incident_id: str, seq: int) -> str:
    return f"{incident_id}_{seq}"


def parse_alert_id(text: str) -> AlertId | None:
    """What an alert's id stands for; None for what is none."""
    found = _ALERT.fullmatch(text)
    return AlertId(found[1], int(found[2])) if found else None


def parse_notification_id(text: str) -> NotificationId | None:
    """What a notification's id stands for; None for what is none."""
    found = _NOTIFICATION.fullmatch(text)
    return NotificationId(found[1], int(found[2]), int(found[3])) if found else None


def may_be_id(text: str) -> bool:
    """At most 40 of letters, digits, '-' and '_'."""
    return _OPAQUE.fullmatch(text) is not None


def _text(number: int) -> str:
    letters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 32)
        letters.append(_LETTERS[digit])
    return "".join(reversed(letters))
