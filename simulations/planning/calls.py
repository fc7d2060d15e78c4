"""One replication's calls: a function of seed and replication, whatever policy is tried on them.

The clock of each: collapse, call answered, recognised, alert to the service, ambulance dispatched, at the
kerb, at the patient. What the policies are told of the ambulance is a forecast; the world keeps the truth.
"""

import math
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from simulations.planning.arrivals import Arrivals
from simulations.planning.cell_points import cells_at
from simulations.planning.draws import Draws, Purpose
from simulations.planning.hours import hours_of_week
from simulations.planning.records import CELL_RESOLUTION, Calls, Flags, Floats, Longs
from simulations.planning.sites import ANY_KIND

if TYPE_CHECKING:
    from simulations.planning.scenario import Scenario

ARREST = "cardiac_arrest"
"""The kind whose alarms are arrests, some of them."""

_ARRIVALS = [one.name for one in fields(Arrivals)]


def made(scenario: "Scenario", replication: int) -> Calls:
    """The calls of one replication, in order of time."""
    draws = Draws(scenario.seed, replication)
    alarms = _with_kinds(scenario, draws, scenario.source.alarms(draws))
    arrest = scenario.kinds.index(ARREST) if ARREST in scenario.kinds else None
    if arrest is None:
        return _clocked(scenario, draws, alarms, np.zeros(len(alarms.lat), dtype=np.bool_), len(alarms.lat))
    arrests = scenario.arrests
    share = arrests.true_share * (1.0 - arrests.recognised_share) / arrests.recognised_share
    missed = _with_kinds(scenario, draws, scenario.source.besides(draws, share))
    missed = _rows(missed, missed.kind == arrest)
    true = (alarms.kind == arrest) & (draws.many(Purpose.TRUE_ARREST, alarms.number) < arrests.true_share)
    both = _joined(alarms, missed)
    return _clocked(
        scenario,
        draws,
        both,
        np.concatenate((true, np.ones(len(missed.lat), dtype=np.bool_))),
        len(alarms.lat),
    )


def _with_kinds(scenario: "Scenario", draws: Draws, arrivals: Arrivals) -> Arrivals:
    """``kind`` drawn by the scenario's shares where the source does not say it."""
    if not (arrivals.kind == ANY_KIND).any():
        return arrivals
    if scenario.incidents.taken_as:
        shares = np.ones(1)
    else:
        shares = np.array([scenario.incidents.kinds[kind] for kind in scenario.kinds])
    up_to = np.cumsum(shares)[:-1]
    drawn = np.searchsorted(up_to, draws.many(Purpose.KIND, arrivals.number) * shares.sum(), side="right")
    kind = np.where(arrivals.kind == ANY_KIND, drawn, arrivals.kind).astype(np.int8)
    return Arrivals(arrivals.number, arrivals.answered_at, arrivals.lat, arrivals.lon, kind)


def _rows(arrivals: Arrivals, chosen: Flags) -> Arrivals:
    return Arrivals(*(getattr(arrivals, name)[chosen] for name in _ARRIVALS))


def _joined(first: Arrivals, second: Arrivals) -> Arrivals:
    return Arrivals(*(np.concatenate((getattr(first, name), getattr(second, name))) for name in _ARRIVALS))


def _clocked(
    scenario: "Scenario", draws: Draws, arrivals: Arrivals, true_arrest: Flags, reported: int
) -> Calls:
    """The first ``reported`` rows are; everything else is drawn by the calls' numbers."""
    number, answered_at = arrivals.number, arrivals.answered_at
    times, ambulance = scenario.times, scenario.ambulance

    def after(start: Longs, seconds: Floats | float) -> Longs:
        return start + np.rint(1000.0 * np.asarray(seconds)).astype(np.int64)

    def delay_s(purpose: Purpose, median: float | Floats, sigma: float, nth: int = 0) -> Floats:
        return median * np.exp(sigma * normals(draws, purpose, number, nth))

    flat = draws.many(Purpose.SETTING, number) < scenario.incidents.flats
    inside_s = np.where(flat, times.kerb_to_patient_flat_s, times.kerb_to_patient_house_s)
    kerb_to_patient_s = delay_s(Purpose.KERB, inside_s, times.kerb_sigma)
    recognised_at = after(answered_at, times.answered_to_recognised_s)
    alert_s = delay_s(Purpose.ALERT, times.answered_to_alert_s, times.alert_sigma)
    dispatched_s = delay_s(Purpose.AMBULANCE, ambulance.answered_to_dispatched_s, ambulance.dispatched_sigma)
    dispatched_at = after(answered_at, dispatched_s)
    drive_s = _drive_s(scenario, draws, number)
    kerb_at = after(dispatched_at, drive_s)
    foreseen_s = drive_s * delay_s(Purpose.FORECAST, 1.0, ambulance.forecast_sigma)
    calls = Calls(
        number=number,
        kinds=scenario.kinds,
        kind=arrivals.kind,
        lat=arrivals.lat,
        lon=arrivals.lon,
        cell=cells_at(arrivals.lat, arrivals.lon, CELL_RESOLUTION),
        hour=hours_of_week(answered_at, scenario.zone).astype(np.int16),
        flat=flat,
        collapse_at=after(
            answered_at, -delay_s(Purpose.COLLAPSE, times.collapse_to_answered_s, times.collapse_sigma)
        ),
        answered_at=answered_at,
        recognised_at=recognised_at,
        alert_at=np.maximum(recognised_at, after(answered_at, alert_s)),
        ambulance_dispatched_at=dispatched_at,
        ambulance_kerb_at=kerb_at,
        ambulance_patient_at=after(kerb_at, kerb_to_patient_s),
        ambulance_forecast_at=after(dispatched_at, foreseen_s),
        kerb_to_patient_s=kerb_to_patient_s,
        true_arrest=true_arrest,
        recognised=np.arange(len(number)) < reported,
        bystander=draws.many(Purpose.BYSTANDER, number) < scenario.arrests.bystander_cpr,
    )
    return calls.rows(np.lexsort((number, answered_at)))


def _drive_s(scenario: "Scenario", draws: Draws, number: Longs) -> Floats:
    """From dispatch to the kerb: one of the file's, or by the distribution."""
    sample, keys = scenario.ambulance_sample_s, scenario.ambulance
    if sample is not None:
        which = draws.many(Purpose.AMBULANCE, number, nth=2) * len(sample)
        return sample[which.astype(np.int64)]
    return keys.to_kerb_s * np.exp(keys.to_kerb_sigma * normals(draws, Purpose.AMBULANCE, number, 2))


def normals(draws: Draws, purpose: Purpose, number: Longs, nth: int = 0) -> Floats:
    """Standard normal numbers by key, from the uniform ones of ``nth`` and the next (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log(draws.many(purpose, number, nth=nth)))
    turned: Floats = radius * np.cos(2.0 * math.pi * draws.many(purpose, number, nth=nth + 1))
    return turned
