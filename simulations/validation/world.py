"""A world so plain that its figures can be written down, around the simulator's own engine and roster."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import Policy, Rung, Wave, shipped
from dispatch.records import Details, NewIncident, Position, Record
from dispatch.roster.roster import Roster
from geo.distance import EARTH_RADIUS_M, SPEED_M_S, Mode
from simulations.behaviour import After, Answer, Plan
from simulations.planning.engine import Asked, Engine
from simulations.planning.records import WEEK_HOURS, Floats, Population
from simulations.planning.world import roster_of

SEED = 12
STARTS_AT = 1_767_571_200_000
"""2026-01-05 00:00 UTC."""
WALKS_M_S = SPEED_M_S[Mode.FOOT]
METRE_DEG = float(np.degrees(1.0 / EARTH_RADIUS_M))
"""Of latitude, and of longitude on the equator."""
KIND = "cardiac_arrest"


class Report(NamedTuple):
    """Degrees; ``at`` ms."""

    at: int
    lat: float
    lon: float


class Run:
    """Incidents one after the other; medics, tracker and control room in one; a check fills it in."""

    def __init__(self, roster: Roster, policy: Policy) -> None:
        self.engine = Engine(
            roster=roster, policies={KIND: policy}, medics=self, watch=self, deliver_ms={"websocket": 0}
        )
        self._reports: Iterator[Report] = iter(())
        self.count = 0

    def play(self, reports: Iterable[Report]) -> None:
        self._reports = iter(reports)
        self._next()
        self.engine.run()

    def _next(self) -> None:
        if (report := next(self._reports, None)) is not None:
            self.engine.at(report.at, self._report, report)

    def _report(self, report: Report) -> None:
        number, self.count = self.count, self.count + 1
        details = Details(Position(report.lat, report.lon))
        self.engine.report(number, str(number), NewIncident(str(number), KIND, details))
        self.reported(number)
        self._next()

    def close_after(self, number: int, ms: int) -> None:
        self.engine.at(self.engine.now + ms, self.engine.close, str(number))

    def reported(self, number: int) -> None:
        """It has been, and the first wave is asked."""

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> Sequence[Plan]:
        raise NotImplementedError

    def committed(self, number: int, at: int, record: Record, events: Sequence[e.AnyEvent]) -> None:
        """Of no interest here."""

    def answered(
        self, number: int, at: int, n: int, medic_id: str, answer: e.Answer, refused: c.Refused | None
    ) -> None:
        """Of no interest here."""

    def arrived(self, number: int, at: int, medic_id: str) -> None:
        """Of no interest here."""


def plan(answer: Answer | None, answer_s: float, *, on_scene_s: float = 1.0) -> Plan:
    """She answers then, unread; with an accept she is there at once."""
    after: After | None = "arrives" if answer == "accept" else None
    return Plan(None, answer, answer_s if answer else None, after, 0.0, 0.0, on_scene_s)


def policy(*, waves: Iterable[tuple[int, int]], **keys: object) -> Policy:
    """Nothing happens in it but what is asked for: as many may be asked as are there."""
    plainest = {
        "waves": tuple(Wave(after_s, alerts) for after_s, alerts in waves),
        "ladder": (Rung("websocket", 0),),
        "alerts_max": 1000,
        "answer_within_s": 3600,
        "look_again_s": 3600,
        "look_s_max": 86_400,
        "engaged_s_max": 86_400,
        "overdue_s_min": 36_000,
        "auto_close_s": 604_800,
    }
    return replace(shipped()[KIND], **(plainest | keys))


def roster(lat: Floats, lon: Floats) -> Roster:
    """Medics at home at all hours, on foot, one a position in degrees."""
    count = len(lat)
    return roster_of(
        Population(
            lat=lat,
            lon=lon,
            work_lat=np.full(count, np.nan),
            work_lon=np.full(count, np.nan),
            mode=np.zeros(count, dtype=np.int8),
            available=np.ones((1, WEEK_HOURS), dtype=np.bool_),
            schedule=np.zeros(count, dtype=np.int16),
            at_work=np.zeros(WEEK_HOURS, dtype=np.bool_),
            effect=np.zeros(count),
            skills=(),
            skilled=np.zeros((count, 0), dtype=np.bool_),
            time_zone="UTC",
        )
    )


def in_a_row(count: int) -> Roster:
    """Medics north of the point 0, 0, one every 5 m: as many as there are may be asked."""
    lat: Floats = METRE_DEG * 5.0 * np.arange(1, count + 1, dtype=np.float64)
    return roster(lat, np.zeros(count))
