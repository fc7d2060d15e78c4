"""A rule that is broken on purpose is caught by the simulator within a few seeds, wherever it begins."""

from collections.abc import Callable

import pytest

from tests.simulator import mutants
from tests.simulator.runs import run_seed

SEEDS_MAX = 16
INCIDENTS = 60
"""Each seed shows one of them as surely as with more, and sooner."""
CAUGHT_AS = (
    (mutants.forget_a_lease, "2: a second SMS of one notification"),
    (mutants.send_before_commit, "1: "),  # sent, or acknowledged, and not in the database
    (mutants.skip_the_dedupe, "reference_in_use"),
    (mutants.drop_the_receipt, "the receipt of alert"),
    (mutants.ignore_a_conflict, "1: "),
    (mutants.trust_the_wall_clock, "an event's time is not the database's"),
    (mutants.one_device_a_medic, "does not show alert"),
    (mutants.take_a_hello_for_a_receipt, "does not show alert"),
)


@pytest.mark.parametrize("first", [0, 1000, 2000])
@pytest.mark.parametrize(("mutant", "caught_as"), CAUGHT_AS)
def test_within_a_few_seeds(
    mutant: Callable[[pytest.MonkeyPatch], None], caught_as: str, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    findings = (run_seed(seed, incidents=INCIDENTS) for seed in range(first, first + SEEDS_MAX))
    assert any(caught_as in violation for finding in findings for violation in finding.violations)
