"""What the parts of the planners' simulator hand on: arrays, one row a call or a medic, in order.

Times ending in ``_at`` are ms since the epoch, durations ``_s`` seconds, positions WGS84 degrees. Nothing
here computes; rows are never changed once made.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from dispatch.records import Hours, Medic, Place
from geo.distance import Mode

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Ints = NDArray[np.int32]
Cells = NDArray[np.uint64]
Flags = NDArray[np.bool_]

MODES = tuple(Mode)
"""``Population.mode`` counts in this order."""

CELL_RESOLUTION = 8
"""The H3 cells by which calls are counted and mapped: some 0.7 km2 each."""

WEEK_HOURS = 7 * 24
"""Hours of the week count from Monday 00:00, local time."""

NO_PHONE = "+0"
"""Nobody's; without a number the service would not text her."""

ARRIVALS_KEPT = 5
"""Of so many arrivals at a patient the time is kept; the count is of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """One replication's calls, in order of ``answered_at``.

    Each is an alarm that is reported, but for the true arrests that nobody recognised: those are never
    reported, have no alert and no medic, and stand here for survival's denominator.
    """

    number: Longs
    """The call in every draw; unlike its row it stays when others come or go."""
    kinds: tuple[str, ...]
    kind: NDArray[np.int8]
    """Index into ``kinds``."""
    lat: Floats
    lon: Floats
    cell: Cells
    """H3 at `CELL_RESOLUTION`."""
    hour: NDArray[np.int16]
    """Of the week, 0 to 167, local, when it was answered."""
    flat: Flags
    """Else a house: how long from the kerb to the patient."""
    collapse_at: Longs
    answered_at: Longs
    recognised_at: Longs
    """For an unrecognised arrest what it would have been."""
    alert_at: Longs
    """When the control room reports it to the service."""
    ambulance_dispatched_at: Longs
    ambulance_kerb_at: Longs
    ambulance_patient_at: Longs
    ambulance_forecast_at: Longs
    """At the kerb, as the policies are told; the truth is ``ambulance_kerb_at``."""
    kerb_to_patient_s: Floats
    """For medics too."""
    true_arrest: Flags
    recognised: Flags
    """Reported. False only of true arrests."""
    bystander: Flags
    """A bystander does CPR from the collapse on."""

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Calls":
        """Some of them, by a mask or by rows."""
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        return Calls(**{name: part if name == "kinds" else part[chosen] for name, part in parts.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The scenario's medics, the same in every replication; her row is her number in every draw."""

    lat: Floats
    lon: Floats
    """Home."""
    work_lat: Floats
    work_lon: Floats
    """NaN: she has no other place than home."""
    mode: NDArray[np.int8]
    """Index into `MODES`."""
    available: Flags
    """Each distinct schedule a row of `WEEK_HOURS`."""
    schedule: NDArray[np.int16]
    """Her row of ``available``."""
    at_work: Flags
    """By hour of the week: whether those with a work are there; at home in all other hours."""
    effect: Floats
    """Her own effect on accepting, standard normal: its sd is the behaviour's."""
    skills: tuple[str, ...]
    skilled: Flags
    """A row a medic, a column a skill."""
    time_zone: str

    def __len__(self) -> int:
        return len(self.lat)

    def roster(self) -> Iterator[Medic]:
        """As the service knows them: ids are their numbers in text, unavailable hours are quiet hours."""
        working, elsewhere = hours_of(self.at_work), hours_of(~self.at_work)
        quiet = [hours_of(~row) for row in self.available]
        works = ~np.isnan(self.work_lat)
        for number in range(len(self)):
            home = float(self.lat[number]), float(self.lon[number])
            places: tuple[Place, ...] = (Place("home", *home),)
            if works[number] and working:
                work = float(self.work_lat[number]), float(self.work_lon[number])
                # A place without hours would hold always: who is never at home has none.
                at_home = (Place("home", *home, elsewhere),) if elsewhere else ()
                places = (*at_home, Place("work", *work, working))
            yield Medic(
                id=str(number),
                name="",
                phone=NO_PHONE,
                language="en",
                skills=tuple(
                    skill for skill, has in zip(self.skills, self.skilled[number], strict=True) if has
                ),
                mode=MODES[self.mode[number]].value,
                cleared_for_homes=True,
                verified=True,
                suspended=False,
                certificate_until=None,
                registered_by=None,
                available=True,
                time_zone=self.time_zone,
                quiet_hours=quiet[self.schedule[number]],
                places=places,
            )


def hours_of(flags: Flags) -> tuple[Hours, ...]:
    """The hours of the week that are set, as a medic's row has them; days with the same hours together."""
    days: dict[tuple[int, int], list[int]] = {}
    for day in range(7):
        edges = np.flatnonzero(np.diff(flags[24 * day : 24 * day + 24], prepend=False, append=False)).tolist()
        for span in zip(edges[::2], edges[1::2], strict=True):
            days.setdefault(span, []).append(day + 1)
    return tuple(Hours(tuple(on), f"{begin:02}:00", f"{end % 24:02}:00") for (begin, end), on in days.items())


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of each of `Calls` under one policy, row for row; all zero, never, for one not reported."""

    alerts: Ints
    medics: Ints
    """Different medics asked: the first alert to each. The others are alerts again:"""
    again_withdrawn: Ints
    """To medics stood down because it was covered, once one on the way had withdrawn;"""
    again_overdue: Ints
    """once one on the way was overdue;"""
    again_else: Ints
    """all others."""
    accepts: Ints
    arrivals: Ints
    """Medics at the patient."""
    redundant: Ints
    """Of those, once as many were there as the policy wants, or the ambulance's crew was."""
    wasted: Ints
    """Journeys begun that did not end at the patient: stood down, given up, or gone silent."""
    at_patient_s: Floats
    """A row a call, `ARRIVALS_KEPT` columns: the first, second ... arrival, since answered; inf: never."""
    overdue_came: Ints
    """Medics at the patient whom the service had taken for overdue, and replaced."""
    nobody: Flags
    """Nobody was found to be asked."""
    medic_alerts: Ints
    """By medic: her alerts in this replication."""
