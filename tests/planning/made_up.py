"""Calls and outcomes made up by hand, a row each."""

from typing import Any

import numpy as np

from simulations.planning.records import ARRIVALS_KEPT, Calls, Outcomes

ANSWERED_AT = 1_767_571_200_000
"""Monday 5 January 2026, 00:00 UTC."""


def calls(
    ambulance_s: list[float],
    collapsed_s: float = 60,
    kinds: tuple[str, ...] = ("cardiac_arrest",),
    **columns: Any,
) -> Calls:
    """True, recognised arrests without bystanders in one cell at midnight, unless a column says otherwise."""
    n = len(ambulance_s)
    answered = np.full(n, ANSWERED_AT, dtype=np.int64)
    at_patient = answered + np.round(1000 * np.array(ambulance_s)).astype(np.int64)
    plain = {
        "number": np.arange(n),
        "kind": np.zeros(n, dtype=np.int8),
        "lat": np.full(n, 53.35),
        "lon": np.full(n, -6.26),
        "cell": np.full(n, 0x881876D2D7FFFFF, dtype=np.uint64),
        "hour": np.zeros(n, dtype=np.int16),
        "flat": np.zeros(n, dtype=np.bool_),
        "collapse_at": answered - int(1000 * collapsed_s),
        "answered_at": answered,
        "recognised_at": answered + 60_000,
        "alert_at": answered + 180_000,
        "ambulance_dispatched_at": answered + 108_000,
        "ambulance_kerb_at": at_patient - 78_000,
        "ambulance_patient_at": at_patient,
        "ambulance_forecast_at": at_patient - 78_000,
        "kerb_to_patient_s": np.full(n, 78.0),
        "true_arrest": np.ones(n, dtype=np.bool_),
        "recognised": np.ones(n, dtype=np.bool_),
        "bystander": np.zeros(n, dtype=np.bool_),
    }
    given = {name: np.asarray(value, dtype=plain[name].dtype) for name, value in columns.items()}
    return Calls(kinds=kinds, **(plain | given))


def outcomes(first_medic_s: list[float], medic_alerts: list[int] | None = None, **columns: Any) -> Outcomes:
    """Zero in all that is not given."""
    n = len(first_medic_s)
    at_patient_s = np.full((n, ARRIVALS_KEPT), np.inf)
    at_patient_s[:, 0] = first_medic_s
    names = (
        "alerts", "medics", "again_withdrawn", "again_overdue", "again_else",
        "accepts", "arrivals", "redundant", "wasted", "overdue_came",
    )  # fmt: skip
    counts = {name: np.asarray(columns.pop(name, [0] * n), dtype=np.int32) for name in names}
    nobody = np.asarray(columns.pop("nobody", [False] * n), dtype=np.bool_)
    assert not columns, columns
    alerted = np.asarray(medic_alerts or [], dtype=np.int32)
    return Outcomes(**counts, at_patient_s=at_patient_s, nobody=nobody, medic_alerts=alerted)
