"""Each check on a smaller sample, sized to see an error of 10 or 20 %: agrees without one, not with twice it.

At full size, `./dev validate --bias 0.02` does the same with the 2 % that it is meant to see.
"""

import numpy as np
import pytest

from simulations.validation import hypercube
from simulations.validation.__main__ import ALL
from simulations.validation.check import distribution, mean, share

SEEN = dict.fromkeys(ALL, 0.1) | dict.fromkeys(("outstanding", "erlang_loss", "hypercube"), 0.2)


@pytest.mark.parametrize("name", ALL)
def test_the_simulator_agrees_with_mathematics(name):
    for check in ALL[name](caught=SEEN[name]):
        assert check.agrees, check.line()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("way", [1, -1])
def test_a_world_with_an_error_does_not(name, way):
    checks = ALL[name](put_in=2 * way * SEEN[name], caught=SEEN[name])
    sized = [check for check in checks if name == "poisson_field" or "gap" not in check.name]
    assert sized
    for check in sized:
        assert not check.agrees, check.line()


def test_were_the_farthest_asked_first_others_would_be_busy_and_as_many_calls_lost(monkeypatch):
    nearest_first = hypercube._nearest_first
    monkeypatch.setattr(hypercube, "_nearest_first", lambda place_m: nearest_first(place_m)[::-1])
    lost, _, second, third = hypercube.checks(caught=SEEN["hypercube"])
    assert (lost.agrees, second.agrees, third.agrees) == (True, False, False)


def test_an_interval_says_what_its_sample_can_say():
    assert share("", 0.5, 500, 1000).agrees
    assert not share("", 0.6, 500, 1000).agrees
    assert mean("", 2.0, [1.0, 2.0, 3.0]).agrees
    assert not mean("", 2.5, [1.0, 2.0, 3.0] * 1000).agrees


def test_a_distribution_is_judged_where_the_gap_is_largest():
    ours = np.array([0.2, 0.5, 0.9])
    far = distribution("", np.array([0.2, 0.7, 0.9]), ours, 1000)
    assert (round(far.ours, 6), far.agrees) == (-0.2, False)
    assert distribution("", ours + 0.01, ours, 1000).agrees
