"""Who follows a control room's feed is woken when it has grown: a hint, for the feed is in the database."""

import asyncio


class Wakeups:
    """The last feed position known of each control room, and those who wait for a later one."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def wake(self, room_id: str, feed_pos: int) -> None:
        if feed_pos <= self._positions.get(room_id, 0):
            return
        self._positions[room_id] = feed_pos
        for waiter in self._waiting.pop(room_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def later_than(self, room_id: str, feed_pos: int, timeout_s: float) -> bool:
        """Waits until the feed may have grown past ``feed_pos``; False when ``timeout_s`` passed first."""
        if self._positions.get(room_id, 0) > feed_pos:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(room_id, []).append(waiter)
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes in the moment of the waking.
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._forget(room_id, waiter)
        return True

    def _forget(self, room_id: str, waiter: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(room_id, [])
        if waiter in waiting:
            waiting.remove(waiter)
        if not waiting:
            self._waiting.pop(room_id, None)
