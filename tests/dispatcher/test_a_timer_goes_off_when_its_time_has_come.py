"""An incident's timer: at its time by the database's clock, however that was moved; none that is not ours."""

import asyncio
import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from dispatch.deciding.live import Live
from dispatch.deciding.ticks import Ticks

NOW_MS = 1_700_000_000_000


class Timed:
    """Timers by a clock that the test sets. Unrealistic: an incident here has nothing but its next time."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.ours = True
        self.went_off: list[str] = []
        clock: Any = SimpleNamespace(now_ms=lambda: self.now_ms)
        self.ticks = Ticks(clock, lambda live: self.went_off.append(live.id), lambda _: self.ours)
        self._ids = itertools.count(1)

    def due(self, in_ms: int | None) -> Live:
        """An incident of which the record says so; its timer is not set yet."""
        live = Live(f"incident-{next(self._ids)}", "room")
        record: Any = SimpleNamespace(due_at=None if in_ms is None else self.now_ms + in_ms)
        live.record = record
        return live

    def set(self, in_ms: int | None, *, wait_s_min: float = 0.0) -> Live:
        live = self.due(in_ms)
        self.ticks.set(live, wait_s_min=wait_s_min)
        return live


@pytest.fixture
def timed() -> Timed:
    return Timed()


def wait_s(live: Live) -> float:
    assert live.timer is not None
    return live.timer.when() - asyncio.get_running_loop().time()


async def a_round() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_it_waits_until_then_and_no_less_than_it_is_told_to(timed: Timed) -> None:
    assert wait_s(timed.set(60_000)) == pytest.approx(60, abs=1)
    assert wait_s(timed.set(-1, wait_s_min=60)) == pytest.approx(60, abs=1)
    assert wait_s(timed.set(90_000, wait_s_min=60)) == pytest.approx(90, abs=1)


async def test_what_is_long_due_goes_off_at_once_and_once(timed: Timed) -> None:
    live = timed.set(-5_000)
    await a_round()
    await a_round()
    assert timed.went_off == ["incident-1"]
    assert live.timer is None


async def test_set_again_it_goes_off_by_the_newer_time_alone(timed: Timed) -> None:
    live = timed.set(0)
    live.record = timed.due(60_000).record
    timed.ticks.set(live)
    await a_round()
    assert timed.went_off == []
    assert wait_s(live) == pytest.approx(60, abs=1)


async def test_one_that_owes_nothing_any_more_has_none(timed: Timed) -> None:
    live = timed.set(60_000)
    live.record = timed.due(None).record
    timed.ticks.set(live)
    assert live.timer is None


async def test_gone_off_too_soon_by_the_databases_clock_it_waits_on(timed: Timed) -> None:
    live = timed.set(0)
    timed.now_ms -= 60_000
    await a_round()
    assert timed.went_off == []
    assert wait_s(live) == pytest.approx(60, abs=1)


async def test_the_clock_put_forward_brings_those_whose_time_has_come(timed: Timed) -> None:
    lives = [timed.set(60_000), timed.set(120_000), timed.due(0)]
    timed.now_ms += 90_000
    timed.ticks.all_due(lives)
    assert timed.went_off == ["incident-1"], "the third is under way: its timer is set after that"
    assert wait_s(lives[1]) == pytest.approx(30, abs=1)
    await a_round()
    assert timed.went_off == ["incident-1"]


async def test_only_where_it_is_ours(timed: Timed) -> None:
    taken_over = timed.set(0)
    timed.ours = False
    assert timed.set(0).timer is None
    await a_round()
    assert timed.went_off == []
    assert taken_over.timer is None


async def test_after_a_stop_none_goes_off_and_none_is_set(timed: Timed) -> None:
    live = timed.set(0)
    timed.ticks.stop([live])
    assert timed.set(0).timer is None
    await a_round()
    assert timed.went_off == []


async def test_how_late_the_most_overdue_is(timed: Timed) -> None:
    lives = [timed.due(-300), timed.due(-2_000), timed.due(60_000), timed.due(None), Live("new", "room")]
    assert timed.ticks.late_ms(lives) == 2_000
    assert timed.ticks.late_ms(lives[2:]) == 0
    timed.ours = False
    assert timed.ticks.late_ms(lives) == 0, "another node's to do"
