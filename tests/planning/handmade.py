"""A small world made by hand: medics in a row north of a square, and calls on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from dispatch.core.policy import Policies, Policy, Rung, Wave, shipped
from simulations.planning.records import WEEK_HOURS, Calls, Population

LAT, LON = 52.09, 5.12
METRES_NORTH = 1 / 111_195.2
MONDAY = 1_704_067_200_000
"""2024-01-01 00:00 UTC, a Monday."""
S, MIN, H = 1000, 60_000, 3_600_000


def medics(
    metres: Sequence[float], *, mode: int = 0, at: tuple[float, float] = (LAT, LON), **about: Any
) -> Population:
    """One so many metres north of the square each, always at home and available, on foot."""
    count = len(metres)
    columns: dict[str, Any] = {
        "lat": LAT + np.array(metres, dtype=float) * METRES_NORTH,
        "lon": np.full(count, LON),
        "work_lat": np.full(count, np.nan),
        "work_lon": np.full(count, np.nan),
        "mode": np.full(count, mode, dtype=np.int8),
        "available": np.ones((1, WEEK_HOURS), dtype=bool),
        "schedule": np.zeros(count, dtype=np.int16),
        "at_work": np.zeros(WEEK_HOURS, dtype=bool),
        "effect": np.zeros(count),
        "skills": (),
        "skilled": np.zeros((count, 0), dtype=bool),
        "time_zone": "UTC",
    }
    return Population(**(columns | about))


def calls(answered_at: Sequence[int], *, kinds: tuple[str, ...] = ("cardiac_arrest",), **about: Any) -> Calls:
    """On the square, alerted after 3 minutes; the ambulance is at the kerb after 12 and there after 13."""
    answered = np.array(answered_at, dtype=np.int64)
    count = len(answered)
    columns: dict[str, Any] = {
        "number": np.arange(count),
        "kinds": kinds,
        "kind": np.zeros(count, dtype=np.int8),
        "lat": np.full(count, LAT),
        "lon": np.full(count, LON),
        "cell": np.zeros(count, dtype=np.uint64),
        "hour": ((answered - MONDAY) // H % WEEK_HOURS).astype(np.int16),
        "flat": np.zeros(count, dtype=bool),
        "collapse_at": answered - MIN,
        "answered_at": answered,
        "recognised_at": answered + MIN,
        "alert_at": answered + 3 * MIN,
        "ambulance_dispatched_at": answered + 2 * MIN,
        "ambulance_kerb_at": answered + 12 * MIN,
        "ambulance_patient_at": answered + 13 * MIN,
        "ambulance_forecast_at": answered + 12 * MIN,
        "kerb_to_patient_s": np.full(count, 60.0),
        "true_arrest": np.ones(count, dtype=bool),
        "recognised": np.ones(count, dtype=bool),
        "bystander": np.zeros(count, dtype=bool),
    }
    return Calls(**(columns | {name: np.asarray(value) for name, value in about.items()}))


def a_policy(kind: str = "cardiac_arrest", *, waves: Any = None, **keys: Any) -> Policy:
    """A shipped policy on the websocket alone, with some keys changed."""
    if waves is not None:
        keys["waves"] = tuple(Wave(after_s, alerts) for after_s, alerts in waves)
    return replace(shipped()[kind], **({"ladder": (Rung("websocket", 0),)} | keys))


def policies(**keys: Any) -> Policies:
    return {"cardiac_arrest": a_policy(**keys)}
