"""Chances of survival: the published functions' check values, and who begins CPR in the simulator."""

import warnings

import numpy as np
import pytest

from simulations.planning import survival
from tests.planning.made_up import calls, outcomes

NEVER = float("inf")


@pytest.mark.parametrize(
    ("cpr_min", "expected"), [(3, 0.088), (8, 0.041), (13, 0.019)], ids=["3 min", "8 min", "13 min"]
)
def test_waalewijn_gives_its_check_values(cpr_min, expected):
    assert round(float(survival.waalewijn(cpr_min, 13)), 3) == expected
    assert survival.van_den_berg(cpr_min) == survival.waalewijn(cpr_min, 13)


def test_larsen_gives_its_check_value_and_nobody_survives_less_than_never():
    assert float(survival.larsen(3, 6, 12)) == pytest.approx(0.283)
    assert survival.larsen(30, 30, 30) == 0


def test_valenzuela_and_de_maio_follow_their_formulas():
    assert float(survival.valenzuela(3, 6)) == pytest.approx(1 / (1 + np.exp(-0.260 + 0.106 * 3 + 0.139 * 6)))
    assert float(survival.de_maio(5)) == pytest.approx(1 / (1 + np.exp(0.679 + 0.262 * 5)))


def test_an_ambulance_that_never_comes_is_a_chance_of_0_and_no_nan():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function, times in (
            (survival.waalewijn, (5, NEVER)),
            (survival.waalewijn, (NEVER, NEVER)),
            (survival.larsen, (NEVER, NEVER, NEVER)),
            (survival.valenzuela, (0, NEVER)),
            (survival.de_maio, (1e6,)),
        ):
            assert function(*times) == 0


def test_a_medic_who_never_comes_leaves_cpr_to_the_ambulance():
    assert survival.waalewijn(NEVER, 9) == survival.waalewijn(9, 9)


def test_cpr_begins_with_the_first_of_bystander_medic_and_ambulance():
    three = calls([600, 600, 600, 600], collapsed_s=120, bystander=[True, False, False, False])
    found = survival.chances(three, outcomes([60, 180, NEVER, 900]))
    ambulance = (120 + 600) / 60
    for name, function in (("waalewijn", survival.waalewijn), ("valenzuela", survival.valenzuela)):
        expected = [function(cpr, ambulance) for cpr in (0, (120 + 180) / 60, ambulance, ambulance)]
        assert found[name] == pytest.approx(expected)
    assert found["larsen"] == pytest.approx(
        [survival.larsen(cpr, ambulance, ambulance) for cpr in (0, 5, 12, 12)]
    )


def test_without_aeds_the_first_defibrillator_is_the_ambulances_whatever_the_policy():
    some = calls([300, 600])
    with_medics = survival.chances(some, outcomes([60, 60]))["de_maio"]
    without = survival.chances(some, outcomes([NEVER, NEVER]))["de_maio"]
    assert with_medics.tolist() == without.tolist()
    assert with_medics.tolist() == survival.de_maio([5, 10]).tolist()


def test_only_true_arrests_count_and_those_nobody_recognised_are_among_them():
    some = calls([600, 600, 600], true_arrest=[True, False, True], recognised=[True, True, False])
    found = survival.chances(some, outcomes([120, 120, NEVER]))["waalewijn"]
    assert len(found) == 2
    assert found[1] == survival.waalewijn(11, 11)
