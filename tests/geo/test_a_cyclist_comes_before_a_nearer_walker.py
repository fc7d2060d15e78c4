import pytest

from geo.distance import SPEED_M_S, Mode, travel_s


def test_a_cyclist_at_900_m_comes_before_a_walker_at_400():
    assert travel_s(900, Mode.BICYCLE) < travel_s(400, Mode.FOOT)


def test_a_driver_comes_before_a_cyclist_at_the_same_distance():
    assert travel_s(900, Mode.CAR) < travel_s(900, Mode.BICYCLE)


def test_every_mode_has_a_speed_and_the_name_the_api_uses():
    assert {str(mode) for mode in SPEED_M_S} == {"foot", "bicycle", "car"}


def test_seconds_are_metres_by_speed():
    assert travel_s(170.0, Mode.FOOT) == pytest.approx(100.0)
