"""HartslagNu plans with about 70 alerted for 5 on scene (hartvoorvenlo.nl): how many does our simulator need?

The planners' own scenario, behaviour and measures, with the funnel of Haskins et al. 2021 and the share of
accepters who arrive from there (0.72) or from Berlin (0.384). The two differ from theirs and are not tuned.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from simulations.planning import runs, scenario
from simulations.planning.scenario import Scenario
from simulations.validation.check import Check, ratio
from simulations.validation.line import Line, Noted

SCENARIO = Path(__file__).parent / "hartslagnu.toml"
THEIRS, ON_SCENE = 70.0, 5
ARRIVES = (0.72, 0.384)
WHY = "our medics are those of an app with live positions, theirs are asked by home address and SMS too"


def checks(*, replications: int | None = None) -> Sequence[Line]:
    found = scenario.read(SCENARIO, replications=replications)
    return [Noted(_needed(_arriving(found, share), share), WHY) for share in ARRIVES]


def _arriving(found: Scenario, share: float) -> Scenario:
    withdraws = min(found.behaviour.withdraws_if_accepted, 1 - share)
    behaviour = msgspec.structs.replace(
        found.behaviour, arrives_if_accepted=share, withdraws_if_accepted=withdraws
    )
    return replace(found, keys=msgspec.structs.replace(found.keys, behaviour=behaviour))


def _needed(found: Scenario, share: float) -> Check:
    """Alerts for five arrivals; replications are the independent stretches."""
    tallies = [row[0] for row in runs.run(found).rows]
    alarms = np.array([tally.first_medic.sum() for tally in tallies])
    alerts, arrivals = (
        alarms * np.array([tally.values.get(name, 0.0) for tally in tallies])
        for name in ("alerts", "arrivals")
    )
    name = f"HartslagNu, alerts for {ON_SCENE} on scene, {share} of those who accept arrive"
    return ratio(name, THEIRS, ON_SCENE * alerts, arrivals, incidents=int(alarms.sum()))
