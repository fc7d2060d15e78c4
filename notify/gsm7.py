"""GSM 7-bit text: what fits one SMS, and how any text is made to.

The alphabet is 3GPP TS 23.038, 6.2.1 (default) and 6.2.1.1 (its extension, two septets a character). One
character outside it turns the whole SMS into UCS-2 and 160 characters into 70.
"""

from __future__ import annotations

import unicodedata

from anyascii import anyascii

SEGMENT_SEPTETS = 160

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€")
_CUT = ".."


def septets(text: str) -> int:
    """How many of a segment's 160 septets a GSM-7 text takes; ValueError for a character outside GSM-7."""
    total = 0
    for char in text:
        if char in _BASIC:
            total += 1
        elif char in _EXTENSION:
            total += 2
        else:
            raise ValueError(f"not in GSM-7: {char!r}")
    return total


def to_gsm7(text: str) -> str:
    """One line of GSM-7: its own accents stay, all else is transliterated, white space becomes one space."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(map(_char, composed)).split())


def shorten(text: str, septets_max: int) -> str:
    """A GSM-7 text cut to `septets_max` between words, marked by two dots.

    Words are never cut, since half a house number is another house; a single word that does not fit gives "".
    """
    if septets(text) <= septets_max:
        return text
    kept = ""
    for word in text.split():
        longer = f"{kept} {word}".lstrip()
        if septets(longer) + len(_CUT) > septets_max:
            break
        kept = longer
    kept = kept.rstrip(" ,;:.")
    return kept + _CUT if kept else ""


def _char(char: str) -> str:
    if char in _BASIC or char in _EXTENSION:
        return char
    if char.isspace() or unicodedata.category(char) == "Cc":
        return " "
    ascii_text = anyascii(char).replace("`", "'")  # the only visible ASCII character that GSM-7 lacks
    return "".join(plain for plain in ascii_text if plain in _BASIC or plain in _EXTENSION)
