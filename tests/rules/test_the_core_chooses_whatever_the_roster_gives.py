"""The core's own choice holds, whatever a roster gives: reach, exclusion, alerts_max, the order."""

from collections.abc import Iterable

from dispatch.core import commands as c
from tests.core.world import Medic, Night


class Careless(Night):
    """Its roster gives everybody, in no order, whether asked for or not."""

    def find(self, search: c.Search) -> tuple[c.Candidate, ...]:
        firsts = {medic.id: n for n, medic in reversed(self.medic_of.items())}
        everybody: Iterable[Medic] = reversed(self.near)
        return tuple(
            c.Candidate(medic.id, 1, medic.eta_s, medic.channels, firsts.get(medic.id)) for medic in everybody
        )


def test_nobody_beyond_the_reach() -> None:
    assert Careless([Medic("at", 600), Medic("past", 601)]).report().asked() == ["at"]


def test_nobody_who_may_not_be_asked_again() -> None:
    night = Careless(4, waves=[(0, 1)]).report()
    night.answer(1, "decline")
    assert night.asked() == ["medic-0", "medic-1"]


def test_the_best_and_no_more_than_are_missing() -> None:
    assert Careless(9, waves=[(0, 2)]).report().asked() == ["medic-0", "medic-1"]


def test_no_more_new_medics_than_may_be_asked() -> None:
    assert Careless(9, waves=[(0, 5)], alerts_max=3).report().asked() == ["medic-0", "medic-1", "medic-2"]
