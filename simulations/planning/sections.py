"""The sections of a scenario file: every key, with its default. docs/simulation.md has the sources.

Times are seconds, shares lie in 0 to 1, paths are relative to the scenario's file.
"""

from typing import Literal

import msgspec

from simulations.behaviour import Habits

_FIELD = Habits()


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of a scenario file."""


class RegionKeys(Section, frozen=True):
    """Where; one of the three."""

    bbox: tuple[float, float, float, float] | None = None
    """South, west, north, east."""
    geojson: str | None = None
    h3: str | None = None
    """A file with a cell a line, or a CSV whose first column is ``h3``."""


class GridKeys(Section, frozen=True):
    """Where people are: a CSV ``h3,population`` and perhaps ``workers``, by where they work."""

    csv: str | None = None


class MedicsKeys(Section, frozen=True):
    """How many, where, when. ``places``: by the grid where there is one, else evenly."""

    count: int | None = None
    per_km2: float | None = None
    csv: str | None = None
    places: Literal["grid", "evenly", "incidents"] | None = None
    works: float = 0.5
    work_days: tuple[int, ...] = (1, 2, 3, 4, 5)
    work_hours: tuple[int, int] = (9, 17)
    available: float | tuple[float, ...] = 1.0
    modes: dict[str, float] = msgspec.field(
        default_factory=lambda: {"foot": 0.30, "bicycle": 0.40, "car": 0.30}
    )
    """With these the ``turnout`` law of moving has the field's 956 m in 6.2 min."""
    skills: dict[str, float] = msgspec.field(default_factory=dict)


class BehaviourKeys(Section, frozen=True):
    """How medics act on an alert."""

    seen: float = _FIELD.seen
    accepts_if_seen: float = _FIELD.accepts_if_seen
    declines_if_not_accepting: float = _FIELD.declines_if_not_accepting
    arrives_if_accepted: float = _FIELD.arrives_if_accepted
    withdraws_if_accepted: float = _FIELD.withdraws_if_accepted
    acceptance: Literal["funnel", "logit"] = "funnel"
    logit_per_km: float = -0.5
    logit_night: float = -0.5
    medic_effect_sd: float = 1.0
    incident_effect_sd: float = 0.5
    answer_s: float = _FIELD.answer_s_median
    answer_sigma: float = _FIELD.answer_sigma
    movement: Literal["overall", "turnout"] = "overall"
    speed_m_s: float = 2.3
    speed_sigma: float = _FIELD.travel_sigma
    turnout_s: float = 105.0
    turnout_night_s: float = 142.0
    turnout_sigma: float = 0.5
    moving_m_s: dict[str, float] = msgspec.field(
        default_factory=lambda: {"foot": 2.7, "bicycle": 4.5, "car": 8.3}
    )
    on_scene_s: tuple[float, float] = _FIELD.on_scene_s


class IncidentsKeys(Section, frozen=True):
    """The calls: a rate, cells' rates, real calls of a CSV or the Irish collisions."""

    per_year: float | None = None
    by_hour: tuple[float, ...] = ()
    rates: str | None = None
    csv: str | None = None
    clock: str | None = None
    collisions: Literal["ireland"] | None = None
    resample: bool = False
    kinds: dict[str, float] = msgspec.field(default_factory=lambda: {"cardiac_arrest": 1.0})
    taken_as: str | None = None
    flats: float = 0.5


class ArrestsKeys(Section, frozen=True):
    """Alarms are not arrests."""

    true_share: float = 0.535
    recognised_share: float = 0.74
    bystander_cpr: float = 0.62


class TimesKeys(Section, frozen=True):
    """Medians, and the spread of their lognormals; 0: always the median."""

    collapse_to_answered_s: float = 60.0
    collapse_sigma: float = 0.0
    answered_to_recognised_s: float = 60.0
    answered_to_alert_s: float = 180.0
    alert_sigma: float = 0.3
    kerb_to_patient_house_s: float = 78.0
    kerb_to_patient_flat_s: float = 168.0
    kerb_sigma: float = 0.3


class AmbulanceKeys(Section, frozen=True):
    """From dispatch to the kerb, and what the policies are told of it."""

    answered_to_dispatched_s: float = 108.0
    dispatched_sigma: float = 0.3
    to_kerb_s: float = 498.0
    to_kerb_sigma: float = 0.58
    csv: str | None = None
    forecast_sigma: float = 0.2
