"""Small numbers for things, so that what is known of all of them lies in arrays by that number."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


class Slots:
    """Hands out the numbers from 0 on, those given back first, so that they stay dense."""

    def __init__(self) -> None:
        self._end = 0
        self._spare: list[int] = []

    def take(self) -> int:
        if self._spare:
            return self._spare.pop()
        self._end += 1
        return self._end - 1

    def give_back(self, slot: int) -> None:
        self._spare.append(slot)


def room_for(slot: int, array: NDArray[T], empty: int | float) -> NDArray[T]:
    """``array`` itself where it has ``slot``, else a copy half as long again, filled with ``empty``."""
    if slot < len(array):
        return array
    longer = np.full(max(slot + 1, len(array) * 3 // 2, 16), empty, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
