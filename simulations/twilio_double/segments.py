"""How many SMS a text takes, counted apart from the service that writes the texts.

3GPP TS 23.038: 160 septets of the default alphabet (153 each when joined, extension characters two), else
UCS-2, 70 code units (67 when joined).
"""

from __future__ import annotations

_DEFAULT = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWO_SEPTETS = set("\f^{}\\[~]|€")


def count_segments(text: str) -> int:
    """Segments that a carrier would charge for this text; 0 for an empty one."""
    characters = set(text)
    if characters <= _DEFAULT | _TWO_SEPTETS:
        length, one, joined = len(text) + sum(char in _TWO_SEPTETS for char in text), 160, 153
    else:
        length, one, joined = len(text.encode("utf-16-be")) // 2, 70, 67
    if length == 0:
        return 0
    return 1 if length <= one else -(-length // joined)
