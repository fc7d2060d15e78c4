"""Thousands of incidents with faults, by fixed seeds: nothing that must stay true is violated.

A failure names its seed; `./dev soak --seed S` replays it.
"""

import pytest

from tests.simulator.runs import Sum, failure, run_seed

SHARDS = 40
SEEDS_A_SHARD = 5
INCIDENTS_A_SHARD_MIN = 500


@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_that_must_stay_true_is_violated(shard: int) -> None:
    whole = Sum(run_seed(seed) for seed in range(shard * SEEDS_A_SHARD, (shard + 1) * SEEDS_A_SHARD))
    assert not whole.failed, "\n".join(map(failure, whole.failed))
    assert whole.incidents >= INCIDENTS_A_SHARD_MIN


def test_so_many_incidents_are_simulated() -> None:
    assert SHARDS * INCIDENTS_A_SHARD_MIN >= 20_000
