"""Who is where and may be asked: every medic of the deployment, in memory.

Nothing here waits, reads a clock or knows a database: the caller says what changed and what time it is.
A medic's row is kept as it came; all that a search looks at lies in arrays by slot. News of medics comes
from several sides and in any order: sockets and claims are remembered for ids that are not (yet) in the
roster and count once they are; of all else that is said of an unknown id nothing is kept or raised.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dispatch.core.commands import Candidate, Search
from dispatch.grace import Grace
from dispatch.records import Fix, Medic
from dispatch.roster.availability import Availability
from dispatch.roster.claims import Claims, Held
from dispatch.roster.hours import Schedules
from dispatch.roster.lookup import Found, Lookup
from dispatch.roster.slots import Slots
from dispatch.roster.whereabouts import Change, Whereabouts
from geo.distance import Mode, travel_s


class Counts(NamedTuple):
    """For metrics. ``available``: opted in, verified and not suspended; ``connected``: has a socket."""

    medics: int
    available: int
    connected: int


class Roster:
    """Times are ms since the epoch, positions WGS84 degrees.

    ``default_time_zone`` is that of medics who have none; ZoneInfoNotFoundError where there is no such zone.
    ``sms_on``: SMS can be sent at all. While the ``grace`` lasts (there need be none) sockets are expected to
    come back, and everybody counts as reachable by websocket.
    """

    def __init__(self, *, default_time_zone: str, sms_on: bool, grace: Grace | None = None) -> None:
        self._schedules = schedules = Schedules(default_time_zone)
        self._availability = Availability(schedules, sms_on=sms_on, grace=grace or Grace(0))
        self._whereabouts = Whereabouts(schedules)
        # Of those with a socket once more, for searches that can reach nobody else: few among many.
        self._of_connected = Whereabouts(schedules)
        # To be put there before it is next looked at, all at once: after a start sockets come by thousands.
        self._joining: dict[str, None] = {}
        self._claims = Claims()
        self._connected: dict[str, None] = {}
        self._slots = Slots()
        self._medics: dict[str, tuple[int, Medic]] = {}
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._medics)

    def ids(self) -> tuple[str, ...]:
        """Of all who are registered."""
        return tuple(self._medics)

    def get(self, medic_id: str) -> Medic | None:
        known = self._medics.get(medic_id)
        return None if known is None else known[1]

    def put(self, medic: Medic) -> None:
        """Adds a medic, or takes over her changed row. ValueError, and nothing changed, where it is bad."""
        self.put_many((medic,))

    def put_many(self, medics: Iterable[Medic]) -> None:
        """`put` for many; the last of several rows of one medic counts. One bad row, and none is taken."""
        if self._schedules.are_many:
            self._forget_hours()
        latest = {medic.id: medic for medic in medics}
        for medic in latest.values():
            self._check(medic)
        changes = [self._keep(medic) for medic in latest.values()]
        self._availability.put_many([slot for slot, *_ in changes], list(latest.values()))
        self._whereabouts.put_many(changes)
        if self._connected or self._claims:  # nobody is, at a start
            self._recall(changes)

    def remove(self, medic_id: str) -> None:
        """Forgets her row, fix and places."""
        known = self._medics.pop(medic_id, None)
        if known is not None:
            slot, medic = known
            self._whereabouts.remove(slot, Mode(medic.mode))
            if medic_id in self._connected:
                self._leave_connected(slot, medic)
            self._availability.remove(slot)
            self._slots.give_back(slot)

    def would_move(self, fix: Fix) -> bool:
        """Whether she is known, and the fix newer than the known one."""
        known = self._medics.get(fix.medic_id)
        return known is not None and fix.at > self._whereabouts.fix_at(known[0])

    def move(self, fix: Fix) -> bool:
        """Takes a fix if newer than the known one; returns whether. ValueError for what is no position."""
        return self.move_many((fix,)) == 1

    def move_many(self, fixes: Iterable[Fix]) -> int:
        """`move` for many, far faster; returns how many medics moved. One bad fix, and none is taken."""
        known = [(fix, self._medics[fix.medic_id]) for fix in fixes if fix.medic_id in self._medics]
        moves = [(slot, Mode(medic.mode), fix) for fix, (slot, medic) in known]
        moved = self._whereabouts.move_many(moves)
        self._of_connected.move_many(one for one in moves if self._has_joined(one[2].medic_id))
        return moved

    def fix(self, medic_id: str) -> Fix | None:
        """Her newest fix, however old."""
        known = self._medics.get(medic_id)
        return None if known is None else self._whereabouts.fix(*known)

    def connected(self, medic_id: str, on: bool) -> None:
        """She has a socket on some node, or has none any more."""
        if on == (medic_id in self._connected):
            return
        if on:
            self._connected[medic_id] = None
        else:
            del self._connected[medic_id]
        for slot, medic in self._known((medic_id,)):
            self._availability.connected(slot, on)
            if on:
                self._joining[medic_id] = None
            else:
                self._leave_connected(slot, medic)

    def hold_alert(
        self, medic_id: str, *, incident_id: str, n: int, priority: int, drill: bool, engaged: bool
    ) -> None:
        """She has this alert, open or ``engaged``. To be said again when any of this changes."""
        self._claims.hold(medic_id, Held(incident_id, n, priority, drill, engaged))
        self._renew_claim(medic_id)

    def release_alert(self, medic_id: str, incident_id: str, n: int) -> None:
        """The alert has ended."""
        self._claims.release(medic_id, incident_id, n)
        self._renew_claim(medic_id)

    def held(self, medic_id: str) -> tuple[Held, ...]:
        """The alerts she holds."""
        return self._claims.of(medic_id)

    def take(self, medic_ids: Iterable[str]) -> None:
        """A decision about these is under way: until `give_back` no search finds them."""
        self._availability.taken(self._slots_of(medic_ids), True)

    def give_back(self, medic_ids: Iterable[str]) -> None:
        self._availability.taken(self._slots_of(medic_ids), False)

    def search(
        self, search: Search, *, lat: float, lon: float, at: int, incident_id: str, firsts: Mapping[str, int]
    ) -> tuple[Candidate, ...]:
        """The ``search.count`` who can be there first of those who may be asked, by travel time, then id.

        ``firsts`` maps the medics whom the incident has asked to their first alert's number: of them, only
        those of ``search.again`` are looked at, and none who holds an alert of the incident. Where fewer new
        medics may be found than are looked for, all of ``again`` come back, for the decision to choose from.
        ValueError for a bad position.
        """
        lookup = Lookup(
            self._all_connected() if self._availability.by_socket_alone(search, at) else self._whereabouts,
            self._ids,
            self._availability.asked_by(search, at),
            lat=lat,
            lon=lon,
            at=at,
            fix_stale_s=search.fix_stale_s,
            reach_s=float(search.reach_s),
        )
        holders = self._claims.holders(incident_id)
        with self._availability.passing_over(self._slots_of({**holders, **dict.fromkeys(firsts)})):
            found = lookup.best(min(search.count, search.new_max))
        may_again = set(search.again) - set(search.exclude)
        again = [
            medic_id for medic_id, first in firsts.items() if first in may_again and medic_id not in holders
        ]
        if again:
            found = sorted(found + lookup.those((slot, Mode(m.mode)) for slot, m in self._known(again)))
        if search.new_max >= search.count:
            del found[search.count :]
        return self._candidates(found, search, at, firsts)

    def standing(
        self, medic_id: str, search: Search, *, lat: float, lon: float, at: int
    ) -> tuple[int | None, int | None, bool] | None:
        """Metres, ``eta_s``, and whether skills, clearance and allowed channels are as ``search`` wants.

        Metres and ``eta_s`` are None where it is not known where she is. None for an unknown medic.
        """
        known = self._medics.get(medic_id)
        if known is None:
            return None
        way = self.eta(medic_id, lat=lat, lon=lon, at=at, fix_stale_s=search.fix_stale_s)
        metres, eta_s = way or (None, None)
        return metres, eta_s, self._availability.fits(known[0], search)

    def eta(
        self, medic_id: str, *, lat: float, lon: float, at: int, fix_stale_s: int
    ) -> tuple[int, int] | None:
        """Metres and seconds from the fix or place that a search would take.

        None for an unknown medic, and where it is not known where she is.
        """
        known = self._medics.get(medic_id)
        if known is None:
            return None
        slot, mode = known[0], Mode(known[1].mode)
        metres = self._whereabouts.distance_m(slot, mode, lat=lat, lon=lon, at=at, fix_stale_s=fix_stale_s)
        return None if metres is None else (round(metres), math.ceil(travel_s(metres, mode)))

    def channels_to(self, medic_id: str, ladder: tuple[str, ...], at: int) -> tuple[str, ...]:
        """Those of the ladder by which she can be reached at ``at``; none for an unknown medic."""
        slots = self._slots_of((medic_id,))
        return self._availability.channels(slots, ladder, at)[0] if slots else ()

    def counts(self) -> Counts:
        return Counts(len(self), self._availability.count_available(), self._availability.count_connected())

    def _forget_hours(self) -> None:
        """Those that nobody has any more: a device may change a medic's as often as it likes."""
        columns = [self._availability.quiet_numbers]
        for where in (self._whereabouts, self._of_connected):
            columns += where.hours_numbers()
        self._schedules.forget_unused(columns)

    def _check(self, medic: Medic) -> None:
        try:
            self._availability.quiet(medic)
            self._whereabouts.check(medic)
        except ValueError as error:
            raise ValueError(f"medic {medic.id}: {error}") from None

    def _keep(self, medic: Medic) -> Change:
        known = self._medics.get(medic.id)
        if known is None:
            slot, before = self._slots.take(), None
            self._ids[slot : slot + 1] = [medic.id]
        else:
            slot, before = known
        self._medics[medic.id] = (slot, medic)
        return slot, before, medic

    def _recall(self, changes: Sequence[Change]) -> None:
        """What was said of newcomers before they were here; and where those are who have a socket."""
        for slot, before, medic in changes:
            if before is None:
                if medic.id in self._connected:
                    self._availability.connected(slot, True)
                    self._joining[medic.id] = None
                self._availability.claimed(slot, self._claims.urgency(medic.id))
        self._of_connected.put_many(one for one in changes if self._has_joined(one[2].id))

    def _has_joined(self, medic_id: str) -> bool:
        return medic_id in self._connected and medic_id not in self._joining

    def _all_connected(self) -> Whereabouts:
        """Where those are who have a socket, the newest of them too."""
        if self._joining:
            joining = self._known(self._joining)
            self._joining.clear()
            self._of_connected.put_many((slot, None, medic) for slot, medic in joining)
            fixes = ((slot, medic, self._whereabouts.fix(slot, medic)) for slot, medic in joining)
            self._of_connected.move_many(
                (slot, Mode(medic.mode), fix) for slot, medic, fix in fixes if fix is not None
            )
        return self._of_connected

    def _leave_connected(self, slot: int, medic: Medic) -> None:
        if medic.id in self._joining:
            del self._joining[medic.id]
        else:
            self._of_connected.remove(slot, Mode(medic.mode))

    def _candidates(
        self, found: list[Found], search: Search, at: int, firsts: Mapping[str, int]
    ) -> tuple[Candidate, ...]:
        channels = self._availability.channels([one.slot for one in found], search.channels, at)
        return tuple(
            Candidate(
                medic_id=one.medic_id,
                distance_m=round(one.distance_m),
                eta_s=math.ceil(one.travel_s),
                channels=reached_by,
                first=firsts.get(one.medic_id),
            )
            for one, reached_by in zip(found, channels, strict=True)
        )

    def _renew_claim(self, medic_id: str) -> None:
        known = self._medics.get(medic_id)
        if known is not None:
            self._availability.claimed(known[0], self._claims.urgency(medic_id))

    def _known(self, medic_ids: Iterable[str]) -> list[tuple[int, Medic]]:
        return [self._medics[medic_id] for medic_id in medic_ids if medic_id in self._medics]

    def _slots_of(self, medic_ids: Iterable[str]) -> list[int]:
        return [self._medics[medic_id][0] for medic_id in medic_ids if medic_id in self._medics]
