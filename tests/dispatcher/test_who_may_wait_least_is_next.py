"""Turns: so many incidents at a time, and of those that wait who may wait least, though nobody for ever.

What may wait begins a little at a time, and a report finds room although answers have taken all of theirs.
"""

import asyncio

import pytest

from dispatch.core import commands as c
from dispatch.deciding import turns as module
from dispatch.deciding.live import Live, Order, Situation
from dispatch.deciding.turns import Turns, still_wanted
from dispatch.store.appends import Overloaded


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 1)
    monkeypatch.setattr(module, "DUE_AT_A_TIME", 1)


class Began(list[str]):
    """Ids in the order in which their turns began; each turn is over when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns(self._begin)

    def _begin(self, live: Live) -> None:
        live.orders.clear()
        self.append(live.id)

    def ask(self, live: Live, order: Order) -> None:
        live.orders.append(order)
        self.turns.ask(live)


def a_tick(now: Situation) -> c.Command:
    return c.Tick(at=now.at, policy=now.rules)


def a_report() -> Order:
    return Order(a_tick)


def an_answer() -> Order:
    return Order(a_tick, urgent=False)


def a_receipt() -> Order:
    return Order(a_tick, urgent=False, once=("delivered", 1, 1))


def some(*ids: str) -> list[Live]:
    return [Live(known, "room") for known in ids]


async def test_reports_go_before_answers_and_answers_before_receipts() -> None:
    began = Began()
    first, receipt, answer, report = some("first", "receipt", "answer", "report")
    began.ask(first, a_report())
    began.ask(receipt, a_receipt())
    began.ask(answer, an_answer())
    began.ask(report, a_report())
    assert began == ["first"]
    for _ in range(3):
        began.turns.ended()
    assert began == ["first", "report", "answer", "receipt"]
    assert not began.turns.waiting


async def test_a_report_about_an_incident_that_waits_brings_it_forward_once() -> None:
    began = Began()
    first, other, twice = some("first", "other", "twice")
    began.ask(first, a_report())
    began.ask(other, an_answer())
    began.ask(twice, a_receipt())
    began.ask(twice, a_report())
    for _ in range(3):
        began.turns.ended()
    assert began == ["first", "twice", "other"]


async def test_who_is_told_more_and_more_is_not_put_off_by_it() -> None:
    """Each receipt would else be a reason to wait anew, and a busy incident's turn would never come."""
    began = Began()
    first, busy, other = some("first", "busy", "other")
    began.ask(first, a_report())
    began.ask(busy, a_receipt())
    began.ask(other, a_receipt())
    began.ask(busy, a_receipt())
    began.turns.ended()
    assert began == ["first", "busy"]


async def test_a_receipt_that_has_waited_goes_before_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.deciding.live.RECEIPT_MAY_WAIT_S", 0.01)
    began = Began()
    first, receipt, report = some("first", "receipt", "report")
    began.ask(first, a_report())
    began.ask(receipt, a_receipt())
    await asyncio.sleep(0.02)
    began.ask(report, a_report())
    began.turns.ended()
    assert began == ["first", "receipt"]


async def test_a_report_finds_room_although_answers_have_taken_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 2)
    monkeypatch.setattr(module, "DUE_AT_A_TIME", 3)
    began = Began()
    for live in some("a", "b", "c"):
        began.ask(live, an_answer())
    for live in some("report", "second"):
        began.ask(live, a_report())
    assert began == ["a", "b", "report"]
    began.turns.ended()
    assert began == ["a", "b", "report", "second"], "three are under way, and of answers two may be"
    began.turns.ended()
    assert began == ["a", "b", "report", "second"]
    began.turns.ended()
    assert began == ["a", "b", "report", "second", "c"]


async def test_an_answer_that_has_waited_for_long_takes_the_room_of_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else reports without end would leave it none."""
    monkeypatch.setattr(module, "DUE_AT_A_TIME", 2)
    monkeypatch.setattr("dispatch.deciding.live.ANSWER_MAY_WAIT_S", 0.01)
    began = Began()
    first, second, answer, third = some("first", "second", "answer", "third")
    began.ask(first, a_report())
    began.ask(second, a_report())
    began.ask(answer, an_answer())
    await asyncio.sleep(0.02)
    began.ask(third, a_report())
    began.turns.ended()
    assert began == ["first", "second", "answer"]


async def test_of_what_was_gathered_a_little_begins_in_each_round_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a report does not wait for the rest of it."""
    monkeypatch.setattr(module, "AT_A_TIME", 32)
    monkeypatch.setattr(module, "DUE_AT_A_TIME", 48)
    monkeypatch.setattr(module, "BEGIN_A_ROUND", 2)
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    began = Began()
    for live in some(*"abcde"):
        live.orders.append(an_answer())
        began.turns.ask_soon(live)
    while not began:
        await asyncio.sleep(0)
    assert began == ["a", "b"]
    began.ask(*some("report"), a_report())
    assert began == ["a", "b", "report"]
    await asyncio.sleep(0)
    assert began == ["a", "b", "report", "c", "d"]
    await asyncio.sleep(0)
    assert began == ["a", "b", "report", "c", "d", "e"]


async def test_a_busy_node_gathers_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 4)
    monkeypatch.setattr(module, "BUSY", 1)
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    monkeypatch.setattr(module, "BUSY_GATHER_S", 10.0)
    began = Began()
    first, second = some("first", "second")
    first.orders.append(an_answer())
    began.turns.ask_soon(first)
    await asyncio.sleep(0.01)
    assert began == ["first"]
    second.orders.append(an_answer())
    began.turns.ask_soon(second)
    await asyncio.sleep(0.01)
    assert began == ["first"]
    began.turns.gathered()
    assert began == ["first", "second"]


async def test_at_the_end_nothing_waits_for_its_moment_or_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 4)
    monkeypatch.setattr(module, "BEGIN_A_ROUND", 1)
    began = Began()
    first, second, third = some("first", "second", "third")
    began.ask(first, an_answer())
    began.ask(second, an_answer())
    third.orders.append(an_answer())
    began.turns.ask_soon(third)
    assert began == ["first"]
    began.turns.hurry()
    assert sorted(began) == ["first", "second", "third"]


async def test_one_that_only_lets_time_pass_leaves_its_turn_to_another() -> None:
    began = Began()
    first, second, third = some("first", "second", "third")
    began.ask(first, a_report())
    began.ask(second, a_report())
    with began.turns.left():
        assert began == ["first", "second"]
    began.ask(third, a_report())
    began.turns.ended()
    assert began == ["first", "second"], "two are under way, and one may be"
    began.turns.ended()
    assert began == ["first", "second", "third"]


async def test_what_waits_is_told_in_seconds_at_the_speed_of_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARN_S", 0.0)
    monkeypatch.setattr(module, "LEARNT", 1.0)
    began = Began()
    for live in some(*(f"{i}" for i in range(6))):
        began.ask(live, a_report())
    began.turns.ended()
    await asyncio.sleep(0.02)
    began.turns.ended()
    assert began.turns.waits_s >= 3 * 0.02


async def test_who_has_waited_too_long_is_told_and_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_S_MAX", 0.01)
    loop = asyncio.get_running_loop()
    late, receipt, new = Order(a_tick, done=loop.create_future()), a_receipt(), a_report()
    new.done = loop.create_future()
    late.since = receipt.since = loop.time()
    await asyncio.sleep(0.02)
    new.since = loop.time()
    assert still_wanted([late, receipt, new]) == [receipt, new]
    assert late.done is not None
    with pytest.raises(Overloaded):
        await late.done
    assert not new.done.done()
