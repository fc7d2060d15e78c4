"""A draw is a function of its key alone: uniform, unrelated to its neighbours', the same ever after."""

import numpy as np
import pytest
from scipy import stats

from simulations.planning.draws import Draws, Purpose

DRAWS = Draws(seed=7, replication=3)
MANY = 200_000
LEVEL = 1e-4


def test_draws_are_uniform_along_every_part_of_the_key():
    counting = np.arange(MANY)
    along = {
        "incident": DRAWS.many(Purpose.SEES, counting),
        "medic": DRAWS.many(Purpose.SEES, 5, counting),
        "nth": DRAWS.many(Purpose.SEES, 5, 6, counting),
        "seed": np.array([Draws(seed, 0).one(Purpose.SEES, 1, 2) for seed in range(3000)]),
        "replication": np.array([Draws(0, nth).one(Purpose.SEES, 1, 2) for nth in range(3000)]),
    }
    assert {name: stats.kstest(draws, "uniform").pvalue > LEVEL for name, draws in along.items()} == (
        dict.fromkeys(along, True)
    )


@pytest.mark.parametrize("lag", [1, 2, 7, 256, 65536])
def test_neighbouring_keys_are_unrelated(lag):
    counting = np.arange(MANY - lag)
    pairs = [
        (DRAWS.many(Purpose.SEES, counting), DRAWS.many(Purpose.SEES, counting + lag)),
        (DRAWS.many(Purpose.SEES, 5, counting), DRAWS.many(Purpose.SEES, 5, counting + lag)),
        (DRAWS.many(Purpose.SEES, counting, 9), DRAWS.many(Purpose.SEES, 9, counting)),
        (DRAWS.many(Purpose.SEES, counting), DRAWS.many(Purpose.ACCEPTS, counting)),
        (DRAWS.many(Purpose.SEES, counting), Draws(7 + lag, 3).many(Purpose.SEES, counting)),
        (DRAWS.many(Purpose.SEES, counting), Draws(7, 3 + lag).many(Purpose.SEES, counting)),
    ]
    for one, other in pairs:
        # Of a square cut into 16 x 16, every field is hit as often as any other.
        fields = np.histogram2d(one, other, bins=16, range=[[0, 1], [0, 1]])[0]
        swapped = one == other  # (i, 9) and (9, i) are one key at i = 9
        assert swapped.sum() <= 1
        assert stats.chisquare(fields.ravel()).pvalue > LEVEL


def test_one_many_and_a_table_are_the_same_draws():
    medics, nth = np.arange(40), np.arange(40) % 3
    table = DRAWS.table((Purpose.SEES, Purpose.DELAY), 11, medics.tolist(), nth.tolist())
    assert table.shape == (2, 40)
    for row, purpose in zip(table, (Purpose.SEES, Purpose.DELAY), strict=True):
        one_by_one = [DRAWS.one(purpose, 11, int(m), int(n)) for m, n in zip(medics, nth, strict=True)]
        assert row.tolist() == one_by_one == DRAWS.many(purpose, 11, medics, nth).tolist()


def test_draws_lie_strictly_between_0_and_1():
    draws = DRAWS.many(Purpose.TIME, np.arange(1_000_000))
    assert 0.0 < draws.min() < 1e-5
    assert 1.0 - 1e-5 < draws.max() < 1.0


def test_a_seed_gives_the_same_draws_ever_after():
    """Results are told by their seed: whoever changes these changes every result."""
    assert [f"{DRAWS.one(purpose, 12, 34, 1):.12f}" for purpose in (Purpose.SEES, Purpose.FORECAST)] == [
        "0.819304164339",
        "0.364322072266",
    ]
    assert f"{Draws(0, 0).one(Purpose.SEES, 0):.12f}" == "0.962679439679"
    assert {purpose.name: purpose.value for purpose in list(Purpose)[:3]} == {
        "SEES": 1,
        "ACCEPTS": 2,
        "DECLINES": 3,
    }
