"""What is measured of one replication under one policy. Times run from the call being answered.

All but survival is over alarms, whether an arrest or not: that is what medics are asked to run for. A medic
who never comes counts as one who comes after forever: nothing is left out, and a quantile may be infinite.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulations.planning import survival
from simulations.planning.records import Calls, Floats, Outcomes

MAIN = "seconds_gained"
"""The measure that policies are compared by, and that decides when enough replications were made."""

WITHIN_MIN = (4, 6, 8)
QUANTILES = (50, 90)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure is called and means."""

    name: str
    words: str
    unit: Literal["s", "share", "alarm", "year"]
    """Seconds, a share in 0 to 1, a count per alarm, a count per medic and year."""
    better: Literal["more", "fewer"]

    @property
    def is_of_arrests(self) -> bool:
        """Over true arrests; all others are over alarms or medics."""
        return self.name.startswith("survival_")

    @property
    def is_counted(self) -> bool:
        """Alarms, or what came of them, were counted: few events are far from normal."""
        return self.unit in ("share", "alarm") and not self.is_of_arrests


def _measures() -> Iterator[Measure]:
    yield Measure(MAIN, "Seconds gained: ambulance less first medic, 0 if she is not first", "s", "more")
    for minutes in WITHIN_MIN:
        words = f"Reached within {minutes} min, by medic or ambulance"
        yield Measure(f"reached_{minutes}_min", words, "share", "more")
    for minutes in WITHIN_MIN:
        yield Measure(f"medic_{minutes}_min", f"A medic there within {minutes} min", "share", "more")
    yield Measure("medic_first", "A medic there before the ambulance", "share", "more")
    for percent in QUANTILES:
        words = f"First medic, {percent}th percentile"
        yield Measure(f"first_medic_p{percent}_s", words, "s", "fewer")
    yield Measure("alerts", "Alerts", "alarm", "fewer")
    yield Measure("medics_asked", "Alerts, the first to each medic: medics asked", "alarm", "fewer")
    for name, why in (
        ("withdrawn", "one on the way withdrew"),
        ("overdue", "one on the way was overdue"),
        ("else", "all others"),
    ):
        yield Measure(f"again_{name}", f"Alerts again to the same medic: {why}", "alarm", "fewer")
    yield Measure("alerts_per_medic_year", "Alerts per medic and year", "year", "fewer")
    yield Measure(
        "alerts_p99_medic_year", "Alerts per year: one medic in a hundred has more", "year", "fewer"
    )
    yield Measure("accepts", "Acceptances", "alarm", "more")
    yield Measure("arrivals", "Medics at the patient", "alarm", "more")
    yield Measure(
        "redundant", "Redundant arrivals: more than wanted, or after the ambulance", "alarm", "fewer"
    )
    yield Measure("wasted", "Wasted journeys: begun, not ended at the patient", "alarm", "fewer")
    yield Measure(
        "overdue_came", "Medics at the patient who had been taken for overdue and replaced", "alarm", "fewer"
    )
    yield Measure("nobody_found", "Nobody was found to be asked", "share", "fewer")
    yield Measure("nobody_came", "No medic came", "share", "fewer")
    for name, words in (
        ("waalewijn", "Survival of true arrests, Waalewijn 2001"),
        ("larsen", "Survival of true arrests, Larsen 1993"),
        ("valenzuela", "Survival of true arrests, Valenzuela 1997"),
        ("de_maio", "Survival of true arrests, De Maio 2003 (control)"),
    ):
        yield Measure(f"survival_{name}", words, "share", "more")


MEASURES = tuple(_measures())


@dataclass(frozen=True, slots=True)
class Times:
    """Of the alarms, in their order: seconds from the call being answered to the patient."""

    ambulance_s: Floats
    medic_s: Floats
    """The first medic; inf: none."""

    @property
    def first_s(self) -> Floats:
        return np.minimum(self.ambulance_s, self.medic_s)

    @property
    def gained_s(self) -> Floats:
        return self.ambulance_s - self.first_s


def times_of(calls: Calls, outcomes: Outcomes) -> Times:
    alarms = calls.recognised
    ambulance_s = (calls.ambulance_patient_at - calls.answered_at)[alarms] / 1000
    return Times(ambulance_s, outcomes.at_patient_s[alarms, 0])


def of(calls: Calls, outcomes: Outcomes, years: float) -> dict[str, float]:
    """By name. What has nothing to be over (no alarm, no true arrest, no medic) is absent.

    ``years``: how long the calls went on.
    """
    values: dict[str, float] = {}
    if calls.recognised.any():
        values |= _of_times(times_of(calls, outcomes)) | _of_alerts(outcomes, calls.recognised)
    if len(outcomes.medic_alerts):
        values |= _of_medics(outcomes, years)
    if calls.true_arrest.any():
        values |= {
            f"survival_{name}": float(each.mean()) for name, each in survival.chances(calls, outcomes).items()
        }
    return {measure.name: values[measure.name] for measure in MEASURES if measure.name in values}


def quantile(sorted_values: Floats, percent: float) -> float:
    """The least value that so many per cent do not exceed: one of them, infinite if so many are."""
    return float(sorted_values[max(0, math.ceil(len(sorted_values) * percent / 100) - 1)])


def _of_times(times: Times) -> dict[str, float]:
    values = {MAIN: float(times.gained_s.mean()), "medic_first": _share(times.medic_s < times.ambulance_s)}
    for minutes in WITHIN_MIN:
        values[f"reached_{minutes}_min"] = _share(times.first_s <= 60 * minutes)
        values[f"medic_{minutes}_min"] = _share(times.medic_s <= 60 * minutes)
    ordered = np.sort(times.medic_s)
    for percent in QUANTILES:
        values[f"first_medic_p{percent}_s"] = quantile(ordered, percent)
    values["nobody_came"] = _share(np.isinf(times.medic_s))
    return values


def _of_alerts(outcomes: Outcomes, alarms: np.ndarray) -> dict[str, float]:
    counts = {
        "alerts": outcomes.alerts,
        "medics_asked": outcomes.medics,
        "again_withdrawn": outcomes.again_withdrawn,
        "again_overdue": outcomes.again_overdue,
        "again_else": outcomes.again_else,
        "accepts": outcomes.accepts,
        "arrivals": outcomes.arrivals,
        "redundant": outcomes.redundant,
        "wasted": outcomes.wasted,
        "overdue_came": outcomes.overdue_came,
        "nobody_found": outcomes.nobody,
    }
    return {name: _share(count[alarms]) for name, count in counts.items()}


def _of_medics(outcomes: Outcomes, years: float) -> dict[str, float]:
    ordered = np.sort(outcomes.medic_alerts).astype(np.float64)
    return {
        "alerts_per_medic_year": float(ordered.mean()) / years,
        "alerts_p99_medic_year": quantile(ordered, 99) / years,
    }


def _share(counted: np.ndarray) -> float:
    """The mean of counts or flags, summed as integers: the same in whatever order."""
    return int(counted.sum(dtype=np.int64)) / len(counted)
