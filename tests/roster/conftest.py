"""Builders: a medic who may be asked, and a search that finds her, each but for what a test changes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from dispatch.core.commands import Candidate, Search
from dispatch.records import Fix, Medic
from dispatch.roster.roster import Roster

AT = int(datetime.fromisoformat("2026-03-10T12:00:00Z").timestamp() * 1000)
"""A Tuesday noon, UTC; 13:00 in Amsterdam."""
LAT, LON = 52.09, 5.12
"""Where the incident is: Utrecht."""
METRES_NORTH = 1 / 111_195.2
"""Degrees of latitude for a metre on the sphere, a millionth less: 900 m must not become 900.0001."""


@pytest.fixture(scope="session")
def at() -> int:
    return AT


@pytest.fixture(scope="session")
def medic() -> Callable[..., Medic]:
    def build(medic_id: str = "anna", **changes: Any) -> Medic:
        row: dict[str, Any] = {
            "name": medic_id,
            "phone": "+31600000001",
            "language": "nl",
            "skills": ("first_aid",),
            "mode": "foot",
            "cleared_for_homes": True,
            "verified": True,
            "suspended": False,
            "certificate_until": None,
            "registered_by": None,
            "available": True,
            "drills": True,
        }
        return Medic(id=medic_id, **(row | changes))

    return build


@pytest.fixture(scope="session")
def fix() -> Callable[..., Fix]:
    def build(medic_id: str = "anna", north_m: float = 100.0, at: int = AT, **changes: Any) -> Fix:
        where: dict[str, Any] = {"lat": LAT + north_m * METRES_NORTH, "lon": LON, "accuracy_m": 10.0}
        return Fix(medic_id=medic_id, at=at, **(where | changes))

    return build


@pytest.fixture(scope="session")
def search() -> Callable[..., Search]:
    def build(**changes: Any) -> Search:
        asked: dict[str, Any] = {
            "count": 10,
            "reach_s": 720,
            "fix_stale_s": 900,
            "skills_any": (),
            "cleared_only": False,
            "drill": False,
            "priority": 1,
            "channels": ("websocket", "sms"),
            "exclude": (),
            "again": (),
            "new_max": 40,
        }
        return Search(**(asked | changes))

    return build


@pytest.fixture(scope="session")
def look(search: Callable[..., Search]) -> Callable[..., tuple[Candidate, ...]]:
    """Looks in a roster: by ``AT`` in Utrecht for incident "i1" unless told otherwise."""

    def run(roster: Roster, **told: Any) -> tuple[Candidate, ...]:
        call: dict[str, Any] = {"lat": LAT, "lon": LON, "at": AT, "incident_id": "i1", "firsts": {}}
        call |= {name: told.pop(name) for name in call.keys() & told.keys()}
        return roster.search(search(**told), **call)

    return run


@pytest.fixture(scope="session")
def ids(look: Callable[..., tuple[Candidate, ...]]) -> Callable[..., list[str]]:
    """The ids that `look` finds, best first."""
    return lambda roster, **told: [candidate.medic_id for candidate in look(roster, **told)]


@pytest.fixture
def roster() -> Roster:
    return Roster(default_time_zone="Europe/Amsterdam", sms_on=True)
