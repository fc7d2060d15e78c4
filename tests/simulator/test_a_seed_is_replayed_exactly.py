"""One seed, one run: in another process, with another hash seed, after other imports."""

import os
import subprocess
import sys
from functools import cache

import pytest

from tests.simulator.runs import run_seed
from tests.simulator.world import Finding, World

SEED, INCIDENTS = 6, 60
RUN = "from tests.simulator.runs import run_seed; print(run_seed({seed}, incidents={incidents}).digest)"


@cache
def the_run() -> Finding:
    return run_seed(SEED, incidents=INCIDENTS)


@pytest.mark.parametrize(
    ("hash_seed", "before"), [("1", ""), ("2", "from tests.simulator import phones, provider\n")]
)
def test_in_another_process(hash_seed: str, before: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", before + RUN.format(seed=SEED, incidents=INCIDENTS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == the_run().digest, done.stderr


def test_another_seed_is_another_run() -> None:
    assert len({World(seed, "safety", incidents=10).run().digest for seed in range(4)}) == 4


def test_what_goes_wrong_is_counted_by_kind() -> None:
    faults = the_run().faults
    assert sum(faults.values()) > 100
    assert len(faults) > 15
