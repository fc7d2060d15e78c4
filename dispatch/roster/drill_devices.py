"""Test devices: medics who are nobody, and whom the watchdog's drills alone may ask.

A medic with the skill ``watchdog`` is one. To the roster she has a single skill, one of her own that no API
takes, and is left out of every search that does not name it: no real incident ever counts on a device that
only acknowledges, and no drill of the watchdog ever reaches anybody else.
"""

from collections.abc import Iterable

from dispatch.records import Medic

SKILL = "watchdog"
KIND = "watchdog"
"""The kind of the watchdog's drills."""
ROOM = "watchdog"
"""The name of the control room whose they are: none of them shows in another's feed."""


def own_skill(medic_id: str) -> str:
    """What only this test device can do."""
    return f"{SKILL}:{medic_id}"


def is_test_device(medic: Medic) -> bool:
    return SKILL in medic.skills


def skills_of(medic: Medic) -> tuple[str, ...]:
    """The skills by which a search finds her."""
    return (own_skill(medic.id),) if is_test_device(medic) else medic.skills


def for_test_devices(skills_any: Iterable[str]) -> bool:
    """Whether a search is for a test device."""
    return any(skill.startswith(f"{SKILL}:") for skill in skills_any)
