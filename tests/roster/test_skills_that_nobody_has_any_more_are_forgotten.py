"""However often medics' skills are changed, a node remembers few more sets of them than they have."""

import pytest

from dispatch.roster import availability
from dispatch.roster.availability import SkillSets

CHANGES = 200


@pytest.fixture
def skill_sets(monkeypatch) -> SkillSets:
    """Those of the next roster, which are many from a tenth of the changes on."""
    monkeypatch.setattr(availability, "_FEW", CHANGES // 10)
    made = SkillSets()
    monkeypatch.setattr(availability, "SkillSets", lambda: made)
    return made


def test_of_a_medic_whose_skills_are_always_changed(skill_sets, roster, medic, look, fix):
    for who, skills in (("gone", ("a",)), ("nurse", ("nurse", "bls")), ("restless", ()), ("layman", ())):
        roster.put(medic(who, skills=skills))
        roster.connected(who, True)
        roster.move(fix(who))
    roster.remove("gone")
    for nth in range(CHANGES):
        roster.put(medic("restless", skills=(f"skill_{nth}", "doctor")))
        assert [one.medic_id for one in look(roster, skills_any=("nurse",))] == ["nurse"]
        assert [one.medic_id for one in look(roster, skills_any=("doctor",))] == ["restless"]
    assert len(skill_sets) < CHANGES / 2
