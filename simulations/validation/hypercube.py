"""Larson's hypercube: three medics on a street, the nearest free one is asked, with none free a call is lost.

The shares of its eight states solve the balance equations (`chain`); what follows from them is compared, the
share of calls lost and the share of her time that each medic is busy. Times on scene are exponential: unlike
the share lost, the medics' shares depend on the law.
"""

import numpy as np

from simulations.planning.draws import Draws, Purpose
from simulations.validation import power
from simulations.validation.chain import Chain, Region
from simulations.validation.check import Check
from simulations.validation.loss import exponential_s, played
from simulations.validation.world import METRE_DEG, SEED, roster

LOAD = 1.5
HOMES_M = (0.0, 1000.0, 2000.0)
"""North of a point, one medic each."""
REGIONS_M = ((0.4, 100.0), (0.25, 900.0), (0.2, 1100.0), (0.15, 1900.0))
"""A region's share of the calls, and where they come from."""


def checks(*, put_in: float = 0.0, caught: float = power.BIAS) -> list[Check]:
    """``put_in``: the time on scene so much longer. The figure that shows it least gives the size."""
    chain, moved = _chain(LOAD), _chain(LOAD * (1 + caught))
    n = max(
        power.of_a_mean(chain.lost_variation(), moved.lost / chain.lost - 1),
        *(
            power.of_a_mean(chain.busy_variation(medic), moved.busy(medic) / chain.busy(medic) - 1)
            for medic in range(len(HOMES_M))
        ),
    )
    draws = Draws(SEED, 0)
    shares, places_m = np.array(REGIONS_M).T
    region = np.searchsorted(np.cumsum(shares)[:-1], draws.many(Purpose.PLACE, np.arange(n)))
    homes = roster(METRE_DEG * np.array(HOMES_M), np.zeros(len(HOMES_M)))
    on_scene_s = (1 + put_in) * exponential_s(draws, n)
    run = played(homes, LOAD, on_scene_s, draws, lat=METRE_DEG * places_m[region])
    name = f"{len(HOMES_M)} medics, nearest first, load {LOAD}"
    return [
        run.lost(f"{name}, share of calls lost", chain.lost),
        *(
            run.busy(f"{name}, medic {medic + 1} busy, share of time", chain.busy(medic), medic)
            for medic in range(len(HOMES_M))
        ),
    ]


def _chain(load: float) -> Chain:
    """Nearest first, as the map says."""
    return Chain(load, [Region(share, _nearest_first(place_m)) for share, place_m in REGIONS_M])


def _nearest_first(place_m: float) -> tuple[int, ...]:
    return tuple(sorted(range(len(HOMES_M)), key=lambda medic: abs(HOMES_M[medic] - place_m)))
