"""What the loss systems are held against agrees with what can be written down by hand."""

import itertools
from math import isclose, sqrt

import numpy as np
import pytest

from simulations.validation.chain import Chain, Region
from simulations.validation.check import mean, ratio
from simulations.validation.erlang_loss import erlang_b

ORDERS = list(itertools.permutations(range(3)))


def test_erlangs_formula():
    assert isclose(erlang_b(1, 0.5), 0.5 / 1.5)
    assert isclose(erlang_b(3, 2.0), (8 / 6) / (1 + 2 + 2 + 8 / 6))


@pytest.mark.parametrize("load", [0.1, 1.5, 20.0])
def test_whoever_is_asked_first_as_many_calls_are_lost(load):
    for first, second in itertools.combinations(ORDERS, 2):
        chain = Chain(load, (Region(0.7, first), Region(0.3, second)))
        assert isclose(chain.lost, erlang_b(3, load))
        assert isclose(sum(chain.busy(medic) for medic in range(3)), load * (1 - chain.lost))


def test_who_is_always_asked_first_is_busy_as_if_alone_and_the_next_with_what_she_leaves():
    chain = Chain(1.5, (Region(1.0, (2, 0, 1)),))
    left = [1.0, *(erlang_b(count, 1.5) for count in (1, 2, 3))]
    for place, medic in enumerate((2, 0, 1)):
        assert isclose(chain.busy(medic), 1.5 * (left[place] - left[place + 1]))


def test_what_one_medic_misses_is_a_coin_and_her_time_is_not():
    chain = Chain(2.0, (Region(1.0, (0,)),))
    assert isclose(chain.lost_variation(), sqrt(1 / 2.0))
    assert isclose(chain.busy_variation(0), sqrt(2 / (1 + 2.0)))


def test_calls_soon_after_each_other_say_less_than_as_many_coins():
    chain = Chain(2.0, (Region(1.0, (0, 1, 2)),))
    assert chain.lost_variation() > 1.3 * sqrt((1 - chain.lost) / chain.lost)


def test_a_ratio_is_as_sure_as_its_stretches_are_many():
    parts = np.array([0.0, 1.0] * 8)
    assert ratio("", 0.5, parts, np.ones(16), incidents=16) == mean("", 0.5, parts)
    long = ratio("", 0.5, parts.reshape(8, 2).sum(axis=1), np.full(8, 2.0), incidents=16)
    assert (long.low, long.ours, long.high) == (0.5, 0.5, 0.5)
    assert not ratio("", 0.6, parts, np.full(16, 2.0), incidents=32).agrees
