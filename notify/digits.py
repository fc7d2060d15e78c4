"""The two digits by which a medic answers an SMS, and how her reply is read.

The pair rotates from one alert of a medic to her next, so that a late answer cannot hit it.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

# Accept, decline. No pair shares a digit with another.
PAIRS: tuple[tuple[str, str], ...] = (("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"))


def digit_pair(nth: int) -> tuple[str, str]:
    """(accept, decline) for a medic's nth alert, counted from 0."""
    return PAIRS[nth % len(PAIRS)]


def read_digit(text: str) -> str | None:
    """The single digit that a reply consists of, white space and punctuation aside; else None."""
    letters = "".join(char for char in unicodedata.normalize("NFKC", text) if char.isalnum())
    return letters if len(letters) == 1 and letters in "0123456789" else None


def read_answer(text: str, pair: tuple[str, str]) -> Literal["accept", "decline"] | None:
    """What a reply answers to the alert that offered `pair`; None is not understood, or another's."""
    digit = read_digit(text)
    if digit is None or digit not in pair:
        return None
    return "accept" if digit == pair[0] else "decline"
