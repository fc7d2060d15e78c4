"""How often one key, or one device, may ask: generous, so that only a fault or ill will meets them."""

import asyncio
from collections import OrderedDict

from dispatch.api.problem import retry_later
from dispatch.api.throttle import Throttle
from dispatch.metrics import Metrics

BURST_S = 10
"""A bucket holds the requests of so many seconds, so that a bad night's first minute passes."""
DEVICES_MAX = 200_000
REMEMBERED_MAX = 50_000
LEAVES_MAX, LEAVE_EACH_S = 5, 2.0


class Rates:
    """A repeat with the same Idempotency-Key is paid for from a bucket of its own.

    Whoever lost a reply, or was refused for want of room, can try again though nothing new is taken. So is
    signing out: a phone that was lost, and asks all the time, is not to keep her from it.
    """

    def __init__(self, *, key_per_s: float, device_per_s: float, metrics: Metrics) -> None:
        self._keys = _throttle(key_per_s)
        self._repeats = _throttle(key_per_s)
        self._devices = _throttle(device_per_s, DEVICES_MAX)
        self._leaving = Throttle(LEAVES_MAX, LEAVE_EACH_S)
        self._paid: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._metrics = metrics

    def control_room(self, key_id: str, once: str | None) -> None:
        """A request of a control room; ``once`` is its Idempotency-Key. Raises Problem ``too_many``."""
        repeated = once is not None and (key_id, once) in self._paid
        self._take("key", self._repeats if repeated else self._keys, key_id)
        if once is not None and not repeated:
            self._paid[key_id, once] = None
            if len(self._paid) > REMEMBERED_MAX:
                self._paid.popitem(last=False)

    def device(self, known: str) -> None:
        """A request of a device. Raises Problem ``too_many``."""
        self._take("device", self._devices, known)

    def leaving(self, known: str) -> None:
        """A request of a device to be one no more. Raises Problem ``too_many``."""
        self._take("device", self._leaving, known)

    async def device_turn(self, known: str) -> None:
        """A frame of a device: returns when it may be looked at. What comes after it waits unread."""
        if not (wait_s := self._devices.wait_s(known)):
            return
        self._metrics.rate_limited("device")
        while wait_s:
            await asyncio.sleep(wait_s)
            wait_s = self._devices.wait_s(known)

    def _take(self, who: str, throttle: Throttle, known: str) -> None:
        if wait_s := throttle.wait_s(known):
            self._metrics.rate_limited(who)
            raise retry_later("too_many", wait_s)


def _throttle(per_s: float, keys_max: int = 20_000) -> Throttle:
    return Throttle(max(1, round(per_s * BURST_S)), 1 / per_s, keys_max=keys_max)
