"""For a while after a node's start devices are expected back: none has had the time to connect again."""

import math


class Grace:
    """It lasts until ``until`` (ms since the epoch), and as long as that is not said: nothing serves yet."""

    def __init__(self, until: float = math.inf) -> None:
        self._until = until

    def ends_at(self, until: int) -> None:
        self._until = until

    def lasts(self, at: int) -> bool:
        return at < self._until
