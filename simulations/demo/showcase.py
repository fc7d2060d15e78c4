"""Which call to show when only one is shown: one whose nearest medics will do a bit of everything.

A guess from outside, by straight lines and planned behaviour; what then happens is the service's.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from geo.distance import Mode, great_circle_m, travel_s
from simulations.behaviour import Behaviour, Plan
from simulations.calls import Call
from simulations.demo.virtual_medic import place_of
from simulations.population import Resident

KINDS = ("traffic_accident", "unconscious")
NEAREST = 5
"""As many as the shipped policies for these kinds ask at once, until two are on their way."""
REACH_S = 600.0
CALLS_TRIED = 2_000
PROMPT_S = 60.0
"""By then, in life, the two who come have accepted: nobody wants to watch a longer silence."""


def choose(calls: Sequence[Call], residents: Sequence[Resident], behaviour: Behaviour) -> Call:
    """The first call whose nearest medics have what a stranger wants to see; otherwise the first call.

    Raises `ValueError` without calls.
    """
    if not calls:
        raise ValueError("no calls to choose from")
    lats, lons = (np.array([getattr(one, axis) for one in residents]) for axis in ("lat", "lon"))
    pace = np.array([travel_s(1.0, Mode(one.mode)) for one in residents])
    for call in islice((call for call in calls if call.kind in KINDS), CALLS_TRIED):
        eta_s = great_circle_m(call.lat, call.lon, lats, lons) * pace
        if _shows_everything(call, _nearest(eta_s, residents), behaviour):
            return call
    return calls[0]


def _nearest(eta_s: NDArray[np.float64], residents: Sequence[Resident]) -> list[Resident]:
    order = np.argsort(eta_s)[:NEAREST]
    return [residents[index] for index in order if eta_s[index] < REACH_S]


def _shows_everything(call: Call, nearest: Sequence[Resident], behaviour: Behaviour) -> bool:
    """Two come, one of them with the app; one declines; one has only SMS; one of the farther says nothing."""
    if len(nearest) < NEAREST or len({one.mode for one in nearest}) == 1:
        return False
    plans = {one.name: behaviour.plan(place_of(call.lat, call.lon), one.name) for one in nearest}
    accepting = [one for one in nearest if _comes(plans[one.name], PROMPT_S / behaviour.pace)]
    return (
        len(accepting) == 2
        and any(one.has_app for one in accepting)
        and any(not one.has_app for one in nearest)
        and any(plan.answer == "decline" for plan in plans.values())
        and any(plans[one.name].answer is None for one in nearest[2:])
    )


def _comes(plan: Plan, within_s: float) -> bool:
    return plan.arrives and plan.answer_s is not None and plan.answer_s < within_s
