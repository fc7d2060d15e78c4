"""Where the defaults of a scenario come from, for its report. docs/simulation.md says more of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulations.planning.keys import ScenarioKeys
from simulations.planning.sections import (
    AmbulanceKeys,
    ArrestsKeys,
    BehaviourKeys,
    IncidentsKeys,
    MedicsKeys,
    TimesKeys,
)
from simulations.planning.sources import BY_HOUR
from simulations.planning.unused import unused

GUESS = "assumption"
SPREAD = "spread: assumption"
RESPONSE_TIMES = "PubMed 36162614"

SOURCES = {
    "medics.works": GUESS,
    "medics.work_days": "assumption; 1 is Monday",
    "medics.work_hours": GUESS,
    "medics.available": "all: that people sleep is in behaviour.seen",
    "medics.modes": "assumption; with it the turnout law gives 956 m in 6.2 min (PubMed 32259606)",
    "incidents.flats": "about what makes 2.1 min of 1.3 and 2.8, PubMed 17601996",
    "behaviour.seen": "Haskins et al., Resuscitation 2021: 75.6 % of 1,985 alerted",
    "behaviour.accepts_if_seen": "Haskins et al., Resuscitation 2021: 37.7 % of those alerted",
    "behaviour.declines_if_not_accepting": GUESS,
    "behaviour.arrives_if_accepted": "Haskins et al., Resuscitation 2021; another service has 0.384: "
    "KATRETTER, 10.1186/s13049-023-01152-3",
    "behaviour.withdraws_if_accepted": "Munich, Resuscitation Plus 2026: more than 20 %",
    "behaviour.acceptance": "funnel: one probability; logit: by distance, night and two effects",
    "behaviour.logit_per_km": GUESS,
    "behaviour.logit_night": GUESS,
    "behaviour.medic_effect_sd": "assumption until data exist; with logit",
    "behaviour.incident_effect_sd": "assumption until data exist; with logit; at 0 it looks rarer than it is "
    "that nobody comes",
    "behaviour.answer_s": "6,769 delays of alerted volunteers, a university course's data",
    "behaviour.answer_sigma": "as answer_s",
    "behaviour.movement": "overall: one speed from the alert; turnout: delay, getting ready, speed by mode",
    "behaviour.speed_m_s": "Jonsson et al., Resuscitation 2020, PubMed 32259606; with overall",
    "behaviour.speed_sigma": "quartiles 1.4 and 4.0 m/s, PubMed 32259606",
    "behaviour.turnout_s": "10.1016/j.resuscitation.2025.110772; with turnout",
    "behaviour.turnout_night_s": "10.1016/j.resuscitation.2025.110772; with turnout",
    "behaviour.turnout_sigma": SPREAD,
    "behaviour.moving_m_s": "straight line, as the service estimates it; with turnout",
    "behaviour.on_scene_s": GUESS,
    "arrests.true_share": "Denmark, 10.1016/j.jacc.2020.04.073",
    "arrests.recognised_share": "median of dispatch centres 73.9 %, 10.1186/s13049-017-0350-8",
    "arrests.bystander_cpr": "61.9 % without alerted volunteers, acc.org, July 2023",
    "times.collapse_to_answered_s": "1 min, as published survival code takes it",
    "times.collapse_sigma": GUESS,
    "times.answered_to_recognised_s": GUESS,
    "times.answered_to_alert_s": RESPONSE_TIMES,
    "times.alert_sigma": SPREAD,
    "times.kerb_to_patient_house_s": "PubMed 17601996",
    "times.kerb_to_patient_flat_s": "PubMed 17601996",
    "times.kerb_sigma": SPREAD,
    "ambulance.answered_to_dispatched_s": RESPONSE_TIMES,
    "ambulance.dispatched_sigma": SPREAD,
    "ambulance.to_kerb_s": RESPONSE_TIMES,
    "ambulance.to_kerb_sigma": "quartiles as wide as 5 and 11 min: Mobile Retter, refubium 25484",
    "ambulance.forecast_sigma": GUESS,
}

DEFAULTS = {
    "medics": MedicsKeys(),
    "incidents": IncidentsKeys(),
    "behaviour": BehaviourKeys(),
    "arrests": ArrestsKeys(),
    "times": TimesKeys(),
    "ambulance": AmbulanceKeys(),
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """What a scenario takes for given, and from where."""

    key: str
    value: str
    source: str


def of(keys: ScenarioKeys, kinds: Sequence[str]) -> Iterator[Assumption]:
    """A source stands beside its own value only: what the scenario sets is the scenario's.

    What changes nothing is not taken for given. ``kinds``: those of the scenario's calls.
    """
    left_out = unused(keys, kinds)
    for key, source in SOURCES.items():
        if key in left_out:
            continue
        section, _, name = key.partition(".")
        value, default = getattr(getattr(keys, section), name), getattr(DEFAULTS[section], name)
        if value != default:
            source = f"set by the scenario; the default is {_words(default)} ({source})"
        yield Assumption(key, _words(value), source)
    incidents = keys.incidents
    if incidents.csv is incidents.collisions is None:
        yield _by_hour(incidents)
    if keys.ambulance.csv is not None:
        yield Assumption("ambulance.csv", keys.ambulance.csv, "the scenario's file, instead of to_kerb_s")


def _by_hour(incidents: IncidentsKeys) -> Assumption:
    of = "; of rates without an hour" if incidents.rates is not None else ""
    if incidents.by_hour:
        return Assumption("incidents.by_hour", _words(incidents.by_hour), f"set by the scenario{of}")
    blocks = ", ".join(f"{BY_HOUR[hour]:g} from {hour}:00" for hour in range(0, 24, 6))
    source = "six-hour blocks differ by a factor of 2, 10.1016/j.resuscitation.2009.10.021"
    return Assumption("incidents.by_hour", blocks, f"{source}; the two between: assumption{of}")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
