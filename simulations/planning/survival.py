"""Chances of surviving an arrest, by published functions. They disagree: only policies' differences count.

Times are minutes; an infinite one (nobody ever) gives the function's limit, never a NaN. None of the
functions was fitted on volunteers who are alerted; docs/simulation.md says what that leaves out.
"""

import numpy as np
from numpy.typing import ArrayLike

from simulations.planning.records import Calls, Floats, Outcomes

PAPER_AMBULANCE_MIN = 13.0


def de_maio(defibrillated_min: ArrayLike) -> Floats:
    """De Maio et al., Annals of Emergency Medicine 42 (2003) 242-250.

    By the defibrillation response interval, from the call to the first defibrillator. That one comes with
    the ambulance where medics bring none, so policies that differ in medics alone do not differ here: a
    control.
    """
    return _logistic(0.679 + 0.262 * _floats(defibrillated_min))


def waalewijn(cpr_min: ArrayLike, ambulance_min: ArrayLike) -> Floats:
    """Waalewijn et al., Resuscitation 51 (2001) 113-122, first model.

    From the collapse to CPR, and to the ambulance.
    """
    ambulance = _floats(ambulance_min)
    cpr = np.minimum(_floats(cpr_min), ambulance)
    return _logistic(0.04 + 0.14 * ambulance + (0.3 - 0.14) * cpr)


def larsen(cpr_min: ArrayLike, defibrillated_min: ArrayLike, advanced_min: ArrayLike) -> Floats:
    """Larsen et al., Annals of Emergency Medicine 22 (1993) 1652-1658: a straight line, cut off at 0.

    From the collapse to CPR, to the first defibrillator and to advanced life support.
    """
    lost = 0.023 * _floats(cpr_min) + 0.011 * _floats(defibrillated_min) + 0.021 * _floats(advanced_min)
    return np.maximum(0.0, 0.67 - lost)


def valenzuela(cpr_min: ArrayLike, defibrillated_min: ArrayLike) -> Floats:
    """Valenzuela et al., Circulation 96 (1997) 3308-3313: witnessed, in ventricular fibrillation.

    From the collapse to CPR and to the first defibrillator.
    """
    return _logistic(-0.260 + 0.106 * _floats(cpr_min) + 0.139 * _floats(defibrillated_min))


def van_den_berg(medic_min: ArrayLike) -> Floats:
    """Van den Berg et al., PLOS ONE 2026 (10.1371/journal.pone.0343762): `waalewijn` with one ambulance.

    It is there 13 min after the collapse. From the collapse to the first medic, no bystander. For the
    comparison with that paper alone.
    """
    return waalewijn(medic_min, PAPER_AMBULANCE_MIN)


def chances(calls: Calls, outcomes: Outcomes) -> dict[str, Floats]:
    """By function, each true arrest's chance, recognised or not, in the calls' order.

    CPR begins with the first of bystander, medic and ambulance at the patient; the ambulance brings
    defibrillator and advanced life support.
    """
    arrests = calls.rows(calls.true_arrest)
    collapsed_s = (arrests.answered_at - arrests.collapse_at) / 1000
    ambulance_s = (arrests.ambulance_patient_at - arrests.answered_at) / 1000
    medic_s = outcomes.at_patient_s[calls.true_arrest, 0]
    ambulance = (collapsed_s + ambulance_s) / 60
    cpr = np.where(arrests.bystander, 0.0, np.minimum((collapsed_s + medic_s) / 60, ambulance))
    return {
        "waalewijn": waalewijn(cpr, ambulance),
        "larsen": larsen(cpr, ambulance, ambulance),
        "valenzuela": valenzuela(cpr, ambulance),
        "de_maio": de_maio(ambulance_s / 60),
    }


def _floats(minutes: ArrayLike) -> Floats:
    return np.asarray(minutes, dtype=np.float64)


def _logistic(odds_against: Floats) -> Floats:
    """1 / (1 + exp(x)), without an overflow where x is large."""
    return 0.5 * (1.0 - np.tanh(0.5 * odds_against))
