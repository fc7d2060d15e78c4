"""However often medics change their hours, a node remembers few more than they have."""

from itertools import count

import pytest

from dispatch.records import Hours, Place
from dispatch.roster import hours as weekly
from dispatch.roster import roster as rosters
from dispatch.roster.hours import Schedules

CHANGES = 200
TUESDAY_NOON = (Hours((2,), "12:00", "14:00"),)
BY_NIGHT = (Hours((2,), "02:00", "04:00"),)


@pytest.fixture
def schedules(monkeypatch) -> Schedules:
    """Those of the next roster, which are many from a tenth of the changes on."""
    monkeypatch.setattr(weekly, "_FEW", CHANGES // 10)
    made = Schedules("UTC")
    monkeypatch.setattr(rosters, "Schedules", lambda _: made)
    return made


def hours():
    """Other ones each time, on no Tuesday."""
    for nth in count():
        day, minute = divmod(nth, 1_440)
        yield (Hours((3 + day,), f"{minute // 60:02}:{minute % 60:02}", "23:59"),)


def test_of_a_medic_who_always_changes_them(schedules, roster, medic, ids):
    def home(holds):
        return (Place("home", 52.09, 5.12, holds),)

    roster.put(medic("asleep", places=home(()), quiet_hours=TUESDAY_NOON))
    roster.put(medic("away", places=home(BY_NIGHT)))
    roster.put(medic("there", places=home(TUESDAY_NOON), quiet_hours=BY_NIGHT))
    roster.connected("there", True)
    others = hours()
    for _ in range(CHANGES // 2):
        roster.put(medic("restless", places=home(next(others)), quiet_hours=next(others)))
    assert len(schedules) < CHANGES / 2
    assert ids(roster) == ["there"]
    roster.put(medic("restless", places=home(TUESDAY_NOON)))
    assert ids(roster) == ["restless", "there"]


def test_of_rows_that_are_refused(schedules, roster, medic):
    nowhere = Place("work", 91.0, 5.12)
    for _, quiet in zip(range(CHANGES), hours(), strict=False):
        with pytest.raises(ValueError, match="is no position"):
            roster.put(medic(quiet_hours=quiet, places=(nowhere,)))
    assert len(schedules) < CHANGES / 2
