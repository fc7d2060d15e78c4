"""Of each medic the newest position waits for the next beat, and only that."""

from collections.abc import Sequence

import pytest

from dispatch.api import latest_fixes
from dispatch.api.latest_fixes import LatestFixes
from dispatch.metrics import Metrics
from dispatch.records import Fix


class Node:
    def __init__(self) -> None:
        self.calm = True
        self.metrics = Metrics()
        self.taken: list[tuple[str, int]] = []
        self.fixes = LatestFixes(self.take, lambda: self.calm, self.metrics)

    def take(self, fixes: Sequence[Fix]) -> None:
        self.taken += [(fix.medic_id, fix.at) for fix in fixes]

    def moves(self, medic_id: str, at: int) -> None:
        self.fixes.put(Fix(medic_id, 52.0, 5.0, 10.0, at))

    def skipped(self) -> float | None:
        return self.metrics.registry.get_sample_value("dispatch_shed_total", {"work": "position"})


def test_a_calm_node_takes_the_newest_of_each_together_at_the_next_beat() -> None:
    node = Node()
    for at in range(3):
        node.moves("anna", at)
    node.moves("bram", 7)
    assert node.taken == []
    node.fixes.take_some()
    assert node.taken == [("anna", 2), ("bram", 7)]
    assert node.fixes.waiting == 0


def test_hers_is_taken_at_once_when_she_answers() -> None:
    node = Node()
    node.moves("anna", 1)
    node.moves("bram", 1)
    node.fixes.take_hers("bram")
    node.fixes.take_hers("cora")
    assert (node.taken, node.fixes.waiting) == ([("bram", 1)], 1)


def test_a_busy_one_keeps_the_newest_of_each_and_takes_a_few_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest_fixes, "BUSY_MAX", 2)
    node = Node()
    node.calm = False
    for at in range(1000):
        for medic_id in ("anna", "bram", "cora"):
            node.moves(medic_id, at)
    assert node.fixes.waiting == 3
    assert node.skipped() == 2997
    node.fixes.take_some()
    assert node.taken == [("anna", 999), ("bram", 999)]
    node.calm = True
    node.moves("anna", 1000)
    node.fixes.take_some()
    assert node.taken[2:] == [("cora", 999), ("anna", 1000)]


def test_one_that_can_not_be_taken_does_not_hold_up_the_others() -> None:
    node = Node()
    node.moves("anna", 1)
    node.moves("bram", 2)
    take = node.fixes._take

    def refuses_anna(fixes: Sequence[Fix]) -> None:
        if any(fix.medic_id == "anna" for fix in fixes):
            raise ValueError
        take(fixes)

    node.fixes._take = refuses_anna
    node.fixes.take_some()
    assert (node.taken, node.fixes.waiting) == ([("bram", 2)], 0)
