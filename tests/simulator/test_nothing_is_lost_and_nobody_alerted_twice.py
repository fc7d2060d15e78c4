"""Twenty thousand incidents with faults, by fixed seeds: nothing that must stay true is violated.

A failure names its seed; `./dev soak --seed S` replays it.
"""

import pytest

from tests.simulator.runs import Sum, failure, run_seed

SHARDS = 28
INCIDENTS_A_SHARD_MIN = 720
"""What four worlds have, as a rule: two that converge, of 206 each, and two that do not, of 155 to 200."""
SEEDS_A_SHARD = 100
"""Far more than a shard uses."""


@pytest.mark.long
@pytest.mark.timeout(400)  # of a machine's processor, of which a busy one gives little
@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_that_must_stay_true_is_violated(shard: int) -> None:
    whole = Sum()
    for seed in range(shard * SEEDS_A_SHARD, (shard + 1) * SEEDS_A_SHARD):
        whole.add(run_seed(seed))
        assert not whole.failed, "\n".join(map(failure, whole.failed))
        if whole.incidents >= INCIDENTS_A_SHARD_MIN:
            return
    pytest.fail(f"{whole.incidents} incidents only")


def test_so_many_incidents_are_simulated() -> None:
    assert SHARDS * INCIDENTS_A_SHARD_MIN >= 20_000
