"""When weekly hours hold: those of many medics at once, each by the clock on her own wall.

Hours are what the wall clock shows. In the hour that comes twice in autumn they hold twice, and in the hour
that spring leaves out they do not come; nothing else is to be said of summer time.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from dispatch.records import Hours
from dispatch.roster.whom_to_ask import Sought

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES


def spans(hours: Iterable[Hours]) -> list[tuple[int, int]]:
    """From and to, in minutes of a week that begins on Monday 00:00: ordered, apart, none empty.

    ValueError for a day outside 1..7 or a time that is not "HH:MM".
    """
    pieces = sorted(piece for entry in hours for day in entry.days for piece in _pieces(entry, day))
    merged: list[tuple[int, int]] = []
    for begin, end in pieces:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _pieces(entry: Hours, day: int) -> list[tuple[int, int]]:
    """One day's hours; those that run past Sunday's midnight come back as two pieces."""
    if not 1 <= day <= 7:
        raise ValueError(f"{day} is no day of the week: 1 is Monday, 7 is Sunday")
    begin, end = _minute(entry.from_), _minute(entry.to)
    begin, end = (minute + (day - 1) * DAY_MINUTES for minute in (begin, end + (end <= begin) * DAY_MINUTES))
    if end <= WEEK_MINUTES:
        return [(begin, end)]
    return [(begin, WEEK_MINUTES), (0, end - WEEK_MINUTES)]


def _minute(text: str) -> int:
    hour, colon, minute = text[:2], text[2:3], text[3:]
    if not (len(text) == 5 and colon == ":" and (hour + minute).isascii() and (hour + minute).isdecimal()):
        raise ValueError(f"{text!r} is no time of day: HH:MM")
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{text!r} is no time of day: 00:00 to 23:59")
    return int(hour) * 60 + int(minute)


class Schedules:
    """Weekly hours in a time zone, by number: the same hours in the same zone have the same number.

    There are as many numbers as different hours were asked about since `forget_unused`. A zone that this
    machine's time zone database does not know counts as the default one: no single row may keep a service
    from starting.
    """

    NEVER = 0
    ALWAYS = 1

    def __init__(self, default_time_zone: str) -> None:
        self._zones = [ZoneInfo(default_time_zone)]
        self._zone_numbers: dict[str | None, int] = {None: 0, default_time_zone: 0}
        self._numbers: dict[tuple[int, tuple[Hours, ...]], int] = {}
        self._zone_of = array("q")
        # The minutes at which hours begin and end, a stretch of _STRIDE for each schedule. As each beginning
        # has its end, an odd count of them up to now says that hours hold.
        self._turns = array("q")
        self._clock = -1
        self._minutes = array("q")
        self._add(0, [])
        self._add(0, [(0, WEEK_MINUTES)])
        self._many = _FEW

    def __len__(self) -> int:
        return len(self._zone_of)

    def number(self, hours: tuple[Hours, ...], time_zone: str | None) -> int:
        """The number of these hours in this zone (None: the default). ValueError as by `spans`."""
        key = (self._zone(time_zone), hours)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._add(key[0], spans(hours))
        return number

    def hold(self, numbers: NDArray[np.int32], at: int) -> NDArray[np.bool_]:
        """Whether each schedule's hours hold at ``at``, in ms."""
        sought = Sought()
        self.at(sought, at)
        return sought.which_hold(numbers)

    def at(self, sought: Sought, at: int) -> None:
        """Has ``sought`` judge hours as at ``at``: until a schedule is added or another time asked about."""
        sought.zone, sought.turns = self._zone_of.buffer_info()[0], self._turns.buffer_info()[0]
        sought.minute, sought.turns_count = self._local_minutes(at), len(self._turns)
        sought.stride = _STRIDE

    @property
    def are_many(self) -> bool:
        """More than twice as many as were in use when that was last looked at: time to look again."""
        return len(self) > self._many

    def forget_unused(self, columns: Sequence[NDArray[np.int32]]) -> None:
        """Forgets hours whose number stands in none of ``columns``; there the others' numbers are made new.

        Numbers that stand anywhere else mean other hours from then on.
        """
        used = np.zeros(len(self), dtype=np.bool_)
        used[[self.NEVER, self.ALWAYS]] = True
        for column in columns:
            used[column] = True
        anew = np.cumsum(used) - 1
        for column in columns:
            column[:] = anew[column]
        numbers, minutes = np.divmod(np.array(self._turns), _STRIDE)
        kept = used[numbers]
        self._turns = array("q", (anew[numbers[kept]] * _STRIDE + minutes[kept]).tobytes())
        self._zone_of = array("q", np.array(self._zone_of)[used].tobytes())
        self._numbers = {key: int(anew[number]) for key, number in self._numbers.items() if used[number]}
        self._many = 2 * len(self) + _FEW

    def _add(self, zone: int, weekly: list[tuple[int, int]]) -> int:
        number = len(self._zone_of)
        self._zone_of.append(zone)
        self._turns.extend(number * _STRIDE + minute for span in weekly for minute in span)
        return number

    def _zone(self, name: str | None) -> int:
        known = self._zone_numbers.get(name)
        if known is None:
            known = self._zone_numbers[name] = self._new_zone(str(name))
        return known

    def _new_zone(self, name: str) -> int:
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return 0
        self._zones.append(zone)
        return len(self._zones) - 1

    def _local_minutes(self, at: int) -> int:
        """The address of what minute of the week it is in each zone."""
        minute = at // 60_000
        if self._clock != minute or len(self._minutes) != len(self._zones):
            local = (datetime.fromtimestamp(minute * 60, zone) for zone in self._zones)
            weekly = (t.weekday() * DAY_MINUTES + t.hour * 60 + t.minute for t in local)
            self._clock, self._minutes = minute, array("q", weekly)
        return self._minutes.buffer_info()[0]


_FEW = 1_024
"""So many different hours take no memory worth a look."""
_STRIDE = WEEK_MINUTES + 1
"""One minute more than a week, so that an end on Sunday's midnight stays in its own schedule's stretch."""
