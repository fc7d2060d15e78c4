"""What happens a thousand times a second is told once a second, with how often it happened."""

import asyncio
from collections.abc import Hashable

EACH_S = 1.0
KNOWN_MAX = 1000


class Seldom:
    def __init__(self) -> None:
        self._told: dict[Hashable, tuple[float, int]] = {}
        """When each was told last, and how often it has happened since."""

    def times(self, what: Hashable) -> int:
        """It happened. How often since it was told last, or 0: it is not told now."""
        now = asyncio.get_running_loop().time()
        at, since = self._told.pop(what, (now - EACH_S, 0))
        due = now - at >= EACH_S
        self._told[what] = (now, 0) if due else (at, since + 1)
        if len(self._told) > KNOWN_MAX:
            del self._told[next(iter(self._told))]
        return since + 1 if due else 0
