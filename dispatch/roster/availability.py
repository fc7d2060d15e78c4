"""Who may be asked, apart from where she is: RULES "Whom to ask", in arrays by the medic's slot."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dispatch.core.commands import Search
from dispatch.grace import Grace
from dispatch.records import Medic
from dispatch.roster.claims import FREE, urgency
from dispatch.roster.drill_devices import for_test_devices, is_test_device, skills_of
from dispatch.roster.hours import Schedules
from dispatch.roster.slots import room_for
from dispatch.roster.whom_to_ask import Sought

_WEBSOCKET, _SMS = 1, 2
_CHANNELS = {"websocket": _WEBSOCKET, "sms": _SMS}

_AVAILABLE, _CLEARED, _DRILLS, _CONNECTED, _TAKEN, _PASSED, _TEST = (1 << bit for bit in range(7))
_ALL = 0xFF

FOREVER = 2**63 - 1
_FEW = 1_024
"""So many different sets of skills take no memory worth a look."""


class Availability:
    """What a search asks of a medic. While the ``grace`` lasts everybody has a socket."""

    def __init__(self, schedules: Schedules, *, sms_on: bool, grace: Grace) -> None:
        self._grace = grace
        self._schedules = schedules
        self._sms_on = sms_on
        self._skills = SkillSets()
        # By slot. Channels she allows and that can reach her; of those, the ones that can do so now.
        self._flags = np.empty(0, dtype=np.uint8)
        self._allowed = np.empty(0, dtype=np.uint8)
        self._reach = np.empty(0, dtype=np.uint8)
        self._skill_set = np.empty(0, dtype=np.int32)
        self._quiet = np.empty(0, dtype=np.int32)
        self._certificate_until = np.empty(0, dtype=np.int64)
        self._urgency = np.empty(0, dtype=np.int16)
        self._sought = Sought()

    def put_many(self, slots: Sequence[int], medics: Sequence[Medic]) -> None:
        """Takes over their rows; whether one is connected, taken or claimed stays as it was."""
        self._make_room(max(slots, default=0))
        if self._skills.are_many:
            self._skills.forget_unused(self._skill_set)
        at = np.array(slots, dtype=np.int64)
        stays = self._flags[at] & (_CONNECTED | _TAKEN)
        self._flags[at] = stays | np.array([_flags(medic) for medic in medics], dtype=np.uint8)
        self._allowed[at] = [self._channels_of(medic) for medic in medics]
        self._skill_set[at] = [self._skills.number(skills_of(medic)) for medic in medics]
        self._quiet[at] = [self.quiet(medic) for medic in medics]
        self._certificate_until[at] = [
            FOREVER if medic.certificate_until is None else medic.certificate_until for medic in medics
        ]
        self._renew_reach(at)

    def remove(self, slot: int) -> None:
        self._flags[slot] = self._allowed[slot] = self._reach[slot] = 0
        self._urgency[slot] = FREE

    def quiet(self, medic: Medic) -> int:
        """The schedule of her quiet hours; ValueError for hours that are none."""
        if not medic.quiet_hours:
            return Schedules.NEVER
        return self._schedules.number(medic.quiet_hours, medic.time_zone)

    @property
    def quiet_numbers(self) -> NDArray[np.int32]:
        """By slot, those of `quiet`, as they are kept; of slots that were left, any."""
        return self._quiet

    def connected(self, slot: int, on: bool) -> None:
        self._flag(slot, _CONNECTED, on)
        self._renew_reach(slot)

    def taken(self, slots: list[int], on: bool) -> None:
        if not slots:  # as with most decisions, and numpy takes a while over nothing too
            return
        if on:
            self._flags[slots] |= _TAKEN
        else:
            self._flags[slots] &= _ALL ^ _TAKEN

    def claimed(self, slot: int, urgency: int) -> None:
        """Only a more urgent incident may ask her."""
        self._urgency[slot] = urgency

    @contextmanager
    def passing_over(self, slots: Iterable[int]) -> Iterator[None]:
        """Meanwhile nobody of ``slots`` is let through."""
        passed = np.fromiter(slots, dtype=np.int64)
        if not passed.size:
            yield
            return
        self._flags[passed] |= _PASSED
        try:
            yield
        finally:
            self._flags[passed] &= _ALL ^ _PASSED

    def asked_by(self, search: Search, at: int) -> Sought:
        """Judges who may be asked at ``at``: until a medic is put here or another search is asked about."""
        must = _AVAILABLE | (_CLEARED if search.cleared_only else 0) | (_DRILLS if search.drill else 0)
        must |= _TEST if for_test_devices(search.skills_any) else 0
        sought = self._sought
        sought.must, sought.looked_at = must, must | _TAKEN | _PASSED | _TEST
        sought.own_urgency = urgency(search.priority, search.drill)
        sought.reach, sought.ladder = self._reach_at(at).ctypes.data, _bits(search.channels)
        sought.at = at
        skills = search.skills_any
        sought.skilled = self._skills.with_any(skills).buffer_info()[0] if skills else None
        self._schedules.at(sought, at)
        return sought

    def by_socket_alone(self, search: Search, at: int) -> bool:
        """Whether nobody without a socket can be reached on the ladder at ``at``."""
        return not self._grace.lasts(at) and not (self._sms_on and "sms" in search.channels)

    def fits(self, slot: int, search: Search) -> bool:
        """Skills, clearance and channels are as ``search`` wants.

        A channel counts that she allows: one who lost her socket for a moment has the alert on her phone.
        """
        skilled = not search.skills_any or bool(
            self._skills.with_any(search.skills_any)[self._skill_set[slot]]
        )
        cleared = not search.cleared_only or bool(self._flags[slot] & _CLEARED)
        return skilled and cleared and bool(int(self._allowed[slot]) & _bits(search.channels))

    def channels(self, slots: list[int], ladder: tuple[str, ...], at: int) -> list[tuple[str, ...]]:
        """For each of the slots those of the ladder by which she can be reached now."""
        reach: list[int] = self._reach_at(at)[slots].tolist()
        usable = {
            bits: tuple(one for one in ladder if bits & _CHANNELS.get(one, 0))
            for bits in dict.fromkeys(reach)
        }
        return [usable[bits] for bits in reach]

    def count_available(self) -> int:
        return int(np.count_nonzero(self._flags & _AVAILABLE))

    def count_connected(self) -> int:
        return int(np.count_nonzero(self._flags & _CONNECTED))

    def _reach_at(self, at: int) -> NDArray[np.uint8]:
        return self._allowed if self._grace.lasts(at) else self._reach

    def _channels_of(self, medic: Medic) -> int:
        bits = _bits(medic.channels) & ~_bits(medic.blocked)
        return bits if self._sms_on and medic.phone else bits & ~_SMS

    def _renew_reach(self, slots: int | NDArray[np.int64]) -> None:
        unconnected = self._flags[slots] & _CONNECTED == 0
        self._reach[slots] = self._allowed[slots] & (_ALL ^ _WEBSOCKET * unconnected)

    def _flag(self, slot: int, flag: int, on: bool) -> None:
        flags = int(self._flags[slot])
        self._flags[slot] = flags | flag if on else flags & ~flag

    def _make_room(self, slot: int) -> None:
        if slot < len(self._flags):
            return
        self._flags = room_for(slot, self._flags, 0)
        self._allowed = room_for(slot, self._allowed, 0)
        self._reach = room_for(slot, self._reach, 0)
        self._skill_set = room_for(slot, self._skill_set, 0)
        self._quiet = room_for(slot, self._quiet, Schedules.NEVER)
        self._certificate_until = room_for(slot, self._certificate_until, 0)
        self._urgency = room_for(slot, self._urgency, FREE)
        self._point_at_columns()

    def _point_at_columns(self) -> None:
        sought = self._sought
        sought.flags, sought.urgency = self._flags.ctypes.data, self._urgency.ctypes.data
        sought.skill_set, sought.quiet = self._skill_set.ctypes.data, self._quiet.ctypes.data
        sought.certificate_until = self._certificate_until.ctypes.data


class SkillSets:
    """Sets of skills by number; as many as different ones were asked about since `forget_unused`."""

    def __init__(self) -> None:
        self._sets: list[frozenset[str]] = []
        self._numbers: dict[tuple[str, ...] | frozenset[str], int] = {}
        self._with_any: dict[tuple[str, ...], array[int]] = {}
        self._many = _FEW

    def __len__(self) -> int:
        """In how many ways they were given: one set may be in any order."""
        return len(self._numbers)

    @property
    def are_many(self) -> bool:
        """More than twice as many as were in use when that was last looked at: time to look again."""
        return len(self) > self._many

    def forget_unused(self, column: NDArray[np.int32]) -> None:
        """Forgets sets whose number does not stand in ``column``; there the others' numbers are made new."""
        used = np.zeros(len(self._sets), dtype=np.bool_)
        used[column] = True
        column[:] = (np.cumsum(used) - 1)[column]
        self._sets = [skills for skills, stays in zip(self._sets, used, strict=True) if stays]
        self._numbers = {skills: number for number, skills in enumerate(self._sets)}
        self._with_any.clear()
        self._many = 2 * len(self) + _FEW

    def number(self, skills: tuple[str, ...]) -> int:
        number = self._numbers.get(skills)
        if number is None:
            number = self._numbers[skills] = self._number_of_set(frozenset(skills))
        return number

    def _number_of_set(self, skills: frozenset[str]) -> int:
        number = self._numbers.setdefault(skills, len(self._sets))
        if number == len(self._sets):
            self._sets.append(skills)
        return number

    def with_any(self, wanted: tuple[str, ...]) -> "array[int]":
        """By number: whether the set has one of ``wanted``. What was found for a policy's skills is kept."""
        known = self._with_any.setdefault(wanted, array("b"))
        known.extend(not skills.isdisjoint(wanted) for skills in self._sets[len(known) :])
        return known


def _flags(medic: Medic) -> int:
    available = medic.available and medic.verified and not medic.suspended
    flags = available * _AVAILABLE | medic.cleared_for_homes * _CLEARED | medic.drills * _DRILLS
    return flags | is_test_device(medic) * _TEST


@lru_cache(64)
def _bits(channels: tuple[str, ...]) -> int:
    bits = 0
    for channel in channels:
        bits |= _CHANNELS.get(channel, 0)
    return bits
