"""The effect that all whom one incident asks share, on and off: what independence would hide.

Medics who decide each for herself hardly ever all stay at home. Where one bad hour or one bad address makes
all of them less willing together, they do, and "nobody came" is more frequent at the same mean. A scenario
has that effect or not; its first replications are made again with it switched, and nothing else: each medic
accepts as many of an average incident's alerts as before.

An effect that is added to the log odds draws every share towards a half, on average over incidents: 10 % with
an sd of 0.5 becomes 10.9 %, and "nobody came" no more frequent than without it. So the other log odds are
multiplied by what undoes that, within a hundredth of the share, three where it is below 5 %: Zeger, Liang and
Albert, Biometrics 44 (1988) 1049-1060.
"""

import math
from dataclasses import dataclass

import msgspec

from simulations.planning.behaviour import logistic, logit
from simulations.planning.comparison import Comparison, Rows, compared
from simulations.planning.intervals import LEVEL
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.sections import BehaviourKeys

SHOWN = (
    "nobody_came", "medic_first", "medic_6_min", "seconds_gained", "accepts", "arrivals", "alerts",
    "survival_waalewijn",
)  # fmt: skip
"""The measures that it may change, the one that it changes most first."""


def has_effect(keys: BehaviourKeys) -> bool:
    return keys.acceptance == "logit" and keys.incident_effect_sd > 0


def switched(keys: BehaviourKeys) -> BehaviourKeys:
    """Off where it is on; else on, with the scenario's own sd or the default, and no other effect with it."""
    if has_effect(keys):
        off = msgspec.structs.replace(keys, incident_effect_sd=0.0)
        return _with_odds(off, 1 / _drawn_to_a_half(keys.incident_effect_sd))
    sd = keys.incident_effect_sd or BehaviourKeys().incident_effect_sd
    on = msgspec.structs.replace(keys, acceptance="logit", incident_effect_sd=sd)
    if keys.acceptance == "funnel":
        on = msgspec.structs.replace(on, logit_per_km=0.0, logit_night=0.0, medic_effect_sd=0.0)
    return _with_odds(on, _drawn_to_a_half(sd))


def _drawn_to_a_half(sd: float) -> float:
    """How many times smaller the mean's log odds are than those that a normal effect is added to."""
    return math.sqrt(1.0 + (16.0 * math.sqrt(3.0) / (15.0 * math.pi) * sd) ** 2)


def _with_odds(keys: BehaviourKeys, times: float) -> BehaviourKeys:
    """All log odds but the incident's effect so many times as large."""
    return msgspec.structs.replace(
        keys,
        accepts_if_seen=logistic(times * logit(keys.accepts_if_seen)),
        logit_per_km=times * keys.logit_per_km,
        logit_night=times * keys.logit_night,
        medic_effect_sd=times * keys.medic_effect_sd,
    )


@dataclass(frozen=True, slots=True, eq=False)
class OnAndOff:
    """The same replications with it and without it."""

    off: Rows
    on: Rows
    sd: float
    """Where it is on: of the log odds of accepting."""
    is_on: bool
    """In the run itself."""

    def difference(self, policy: int, measure: str, level: float = LEVEL) -> Comparison | None:
        """On less off under one policy; None as in `compared`."""
        pairs = [(off[policy], on[policy]) for off, on in zip(self.off, self.on, strict=True)]
        return compared(pairs, 1, measure, level)


def on_and_off(scenario: Scenario, results: Results) -> OnAndOff | None:
    """None: no replication was made again."""
    again = results.switched
    if not again:
        return None
    ours = results.rows[: len(again)]
    is_on = has_effect(scenario.behaviour)
    off, on = (again, ours) if is_on else (ours, again)
    sd = (scenario.behaviour if is_on else switched(scenario.behaviour)).incident_effect_sd
    return OnAndOff(off, on, sd, is_on)
