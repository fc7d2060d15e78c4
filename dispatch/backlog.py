"""How many orders may wait to be decided: for one incident, and on this node."""

from dispatch.store.appends import Overloaded

ORDERS_MAX = 4096
ORDERS_EACH_MAX = 512
ANSWERS_SHARE = 0.75
"""Of the room there is, what answers may fill: the rest is for what control rooms ask."""


class Backlog:
    """Counts the orders that are not committed yet.

    Who waits for an order is refused where there is no room. What nobody waits for (a tick, a receipt, what
    became of a send) always has room: there is never more of it than there are notifications and incidents.
    """

    def __init__(self, most: int | None = None, most_each: int | None = None) -> None:
        self.most = most or ORDERS_MAX
        self._most_each = most_each or ORDERS_EACH_MAX
        self.count = 0

    def ensure_room(self, of_the_incident: int = 0, *, answer: bool = False) -> None:
        """Raises Overloaded where ``of_the_incident`` orders of the same one, or all, are too many."""
        share = ANSWERS_SHARE if answer else 1.0
        if self.count >= share * self.most or of_the_incident >= share * self._most_each:
            raise Overloaded("too many orders are waiting")
