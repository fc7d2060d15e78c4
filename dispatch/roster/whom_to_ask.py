"""Asks `whom_to_ask.c`, the one place where it is judged who may be found: by the index, or of a few."""

import ctypes
from collections.abc import Sequence
from ctypes import c_int64, c_uint8, c_void_p
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geo import compiled
from geo.search import Keep

Mask = NDArray[np.bool_]

_library = compiled.load(Path(__file__).with_name("whom_to_ask.c"))
_IS_SOUGHT = compiled.address(_library.is_sought)


class Sought(ctypes.Structure):
    """`Sought` in whom_to_ask.c. Who sets a pointer keeps what it points to for as long as it is used."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [
        *((name, c_void_p) for name in ("owner", "is_fix", "schedule")),
        *((name, c_void_p) for name in ("fix_at", "flags", "reach", "urgency", "certificate_until")),
        *((name, c_void_p) for name in ("skill_set", "quiet", "skilled", "zone", "minute", "turns")),
        *((name, c_int64) for name in ("turns_count", "stride", "at", "fresh_after", "own_urgency")),
        *((name, c_uint8) for name in ("looked_at", "must", "ladder")),
    ]

    def keep(self) -> Keep:
        """Lets the index find entries that count, of medics who may be asked."""
        return Keep(_IS_SOUGHT, ctypes.addressof(self), self)

    def which_hold(self, schedules: NDArray[np.int32]) -> Mask:
        return self._which(_library.which_hold, schedules, np.int32)

    def which_may_be_asked(self, slots: NDArray[np.int32]) -> Mask:
        return self._which(_library.which_may_be_asked, slots, np.int32)

    def which_count(self, entries: NDArray[np.int64]) -> Mask:
        return self._which(_library.which_count, entries, np.int64)

    def _which(self, judge: Any, numbers: NDArray[Any], kind: type[np.signedinteger[Any]]) -> Mask:
        numbers = np.ascontiguousarray(numbers, dtype=kind)
        which = np.empty(len(numbers), dtype=np.bool_)
        # Addresses as they are: to have numpy make pointers of them takes longer than the judging.
        at, into = c_void_p(numbers.ctypes.data), c_void_p(which.ctypes.data)
        judge(ctypes.byref(self), at, c_int64(len(numbers)), into)
        return which
