"""While the node is busy the newest position of each medic waits, and only that."""

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

    async def take(self, fix: Fix) -> None:
        self.taken.append((fix.medic_id, fix.at))

    async def moves(self, medic_id: str, at: int) -> None:
        await self.fixes.put(Fix(medic_id, 52.0, 5.0, 10.0, at))

    def skipped(self) -> float | None:
        return self.metrics.registry.get_sample_value("dispatch_shed_total", {"work": "position"})


async def test_a_calm_node_takes_each_at_once() -> None:
    node = Node()
    for at in range(3):
        await node.moves("anna", at)
    assert node.taken == [("anna", 0), ("anna", 1), ("anna", 2)]


async def test_a_busy_one_keeps_the_newest_of_each_and_takes_a_few_a_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(latest_fixes, "A_BEAT_MAX", 2)
    node = Node()
    node.calm = False
    for at in range(1000):
        for medic_id in ("anna", "bram", "cora"):
            await node.moves(medic_id, at)
    assert node.taken == []
    assert node.fixes.waiting == 3
    assert node.skipped() == 2997
    await node.fixes.take_some()
    assert node.taken == [("anna", 999), ("bram", 999)]


async def test_calm_again_it_takes_all_that_waits_and_then_each_at_once() -> None:
    node = Node()
    node.calm = False
    await node.moves("anna", 1)
    node.calm = True
    await node.moves("bram", 2)
    await node.fixes.take_some()
    await node.moves("anna", 3)
    assert node.taken == [("anna", 1), ("bram", 2), ("anna", 3)]


async def test_one_that_can_not_be_taken_does_not_hold_up_the_others() -> None:
    node = Node()
    node.calm = False
    await node.moves("anna", 1)
    await node.moves("bram", 2)
    take, failed = node.fixes._take, []

    async def fails_once(fix: Fix) -> None:
        if not failed:
            failed.append(fix.medic_id)
            raise OSError
        await take(fix)

    node.fixes._take = fails_once
    await node.fixes.take_some()
    assert (failed, node.taken, node.fixes.waiting) == (["anna"], [("bram", 2)], 0)
