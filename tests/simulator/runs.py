"""Runs by seed: which mode a seed has, and what many of them come to."""

from collections.abc import Iterable

from tests.simulator.garbage import looked_for_by_the_world
from tests.simulator.world import INCIDENTS, Finding, Mode, World

SHOWN_MAX = 3


def mode_of(seed: int) -> Mode:
    """Every other seed goes on to where everything must have come to its end."""
    return "safety" if seed % 2 else "liveness"


def run_seed(seed: int, mode: Mode | None = None, incidents: int = INCIDENTS) -> Finding:
    """One world, from its beginning to its end."""
    with looked_for_by_the_world():
        return World(seed, mode or mode_of(seed), incidents=incidents).run()


class Sum:
    """What the runs so far come to."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.seeds = self.incidents = self.commits = 0
        self.faults: dict[str, int] = {}
        self.failed: list[Finding] = []
        for finding in findings:
            self.add(finding)

    def add(self, finding: Finding) -> None:
        self.seeds += 1
        self.incidents += finding.incidents
        self.commits += finding.commits
        for kind, count in finding.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + count
        if finding.violations:
            self.failed.append(finding)

    @property
    def violations(self) -> int:
        return sum(len(finding.violations) for finding in self.failed)

    def told(self) -> str:
        faults = sorted(self.faults.items(), key=lambda one: -one[1])
        lines = [f"{count:>9} {kind}" for kind, count in faults]
        head = f"{self.seeds} seeds, {self.incidents} incidents, {self.commits} commits"
        total = sum(self.faults.values())
        return "\n".join((head, f"{total} faults:", *lines, f"{self.violations} violations"))


def failure(finding: Finding) -> str:
    """`seed S: invariant, events`, of the first few."""
    more = len(finding.violations) - SHOWN_MAX
    lines = [f"seed {finding.seed}: {one}" for one in finding.violations[:SHOWN_MAX]]
    return "\n".join(lines + [f"seed {finding.seed}: {more} more"] * (more > 0))
