"""Keys that change nothing beside the scenario's other ones: what is set in vain is told, and not assumed."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from simulations.planning.calls import ARREST
from simulations.planning.comparison import FIRST_LOOK
from simulations.planning.keys import ScenarioKeys


def unused(keys: ScenarioKeys, kinds: Sequence[str]) -> Mapping[str, str]:
    """Why each such key changes nothing. ``kinds``: those of the scenario's calls."""
    return {key: why for names, why in _unused(keys, kinds) for key in names.split()}


def in_vain(keys: ScenarioKeys, kinds: Sequence[str]) -> list[str]:
    """A line for each of them that the scenario sets to something else than its default."""
    found = unused(keys, kinds).items()
    return [f"{key} is set and changes nothing: {why}" for key, why in found if _is_set(keys, key)]


def _unused(keys: ScenarioKeys, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Keys and why."""
    incidents, medics, behaviour = keys.incidents, keys.medics, keys.behaviour
    if keys.replications <= FIRST_LOOK:
        yield "stop_within_s", f"the first look is after {FIRST_LOOK} replications, and no more are made"
    if incidents.csv is not None and not incidents.resample:
        yield "weeks starts", "calls come when incidents.csv says, unless it is resampled"
    if incidents.taken_as is not None:
        yield "incidents.kinds", "taken_as is the kind of every call"
    elif incidents.csv is not None or incidents.collisions is not None:
        yield "incidents.kinds", "the source says each call's kind"
    if medics.csv is not None:
        yield "medics.places", "medics.csv says where they live"
        by_people = incidents.csv is incidents.collisions is incidents.rates is None
        if keys.grid.csv is None or not by_people:
            yield "medics.works", "medics.csv says who has a place of work"
    elif not medics.work_days:
        yield "medics.works medics.work_hours", "nobody works on any day (medics.work_days)"
    elif medics.works == 0:
        yield "medics.work_days medics.work_hours", "nobody has a place of work (medics.works)"
    if ARREST not in kinds:
        yield "arrests.true_share arrests.recognised_share arrests.bystander_cpr", f"no call is a {ARREST}"
        yield "times.collapse_to_answered_s times.collapse_sigma", f"no call is a {ARREST}"
    if keys.ambulance.csv is not None:
        yield "ambulance.to_kerb_s ambulance.to_kerb_sigma", "each drive is one of ambulance.csv"
    if behaviour.acceptance == "funnel":
        yield (
            "behaviour.logit_per_km behaviour.logit_night behaviour.medic_effect_sd",
            "behaviour.acceptance is 'funnel', and not 'logit'",
        )
    if behaviour.movement == "overall":
        yield (
            "behaviour.turnout_s behaviour.turnout_night_s behaviour.turnout_sigma behaviour.moving_m_s",
            "behaviour.movement is 'overall', and not 'turnout'",
        )
    else:
        yield (
            "behaviour.speed_m_s behaviour.speed_sigma",
            "behaviour.movement is 'turnout', and not 'overall'",
        )


def _is_set(keys: ScenarioKeys, key: str) -> bool:
    section, _, name = key.rpartition(".")
    held = getattr(keys, section) if section else keys
    (field,) = (one for one in msgspec.structs.fields(held) if one.name == name)
    factory = field.default_factory
    default = field.default if factory is msgspec.NODEFAULT else factory()
    return bool(getattr(held, name) != default)
