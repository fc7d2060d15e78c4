"""Decided and not committed yet: whom a plan asks nobody else does; one that can not be made takes nobody."""

import pytest
from town import SQUARE, a_policy, some_medics

from dispatch.core import commands as c
from dispatch.core.policy import Policy
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live, Order, Situation
from dispatch.deciding.memory import Memory
from dispatch.deciding.orders import leaving, opening
from dispatch.deciding.plan import NotLocked, Plan, Planner
from dispatch.records import Details, NewIncident, Record
from dispatch.roster.roster import Roster
from dispatch.store.appends import Remembered

AT = 1_773_144_000_000
TWO = a_policy(waves=[(0, 2)])


class Desk:
    """A roster of medics, nearest first, and incidents that are decided and committed by hand."""

    def __init__(self, medics: int) -> None:
        self.roster = Roster(default_time_zone="Europe/Amsterdam", sms_on=True)
        self.roster.put_many(some_medics(medics))
        digit_pairs = DigitPairs()
        self.planner = Planner(self.roster, digit_pairs)
        self.memory = Memory(
            load=self._load, loaded=lambda *_: None, roster=self.roster, digit_pairs=digit_pairs
        )
        self.lives: dict[str, Live] = {}

    async def _load(self, incident_id: str) -> Record | None:
        raise AssertionError("all is in memory")

    def plan(self, incident_id: str, *orders: Order, locked: tuple[str, ...] = ()) -> Plan:
        live = self.lives.get(incident_id) or self.lives.setdefault(incident_id, Live(incident_id, "room"))
        return self.planner.plan({one: self.lives[one] for one in (incident_id, *locked)}, live, orders, AT)

    def commit(self, plan: Plan) -> None:
        for part in plan.parts.values():
            self.memory.follow(part, 1, "node")
            self.memory.follow_claims(part)
        self.roster.give_back(plan.taken)

    def asked(self, plan: Plan, incident_id: str) -> list[str]:
        return [one.medic_id for one in plan.parts[incident_id].asked]


def an_answer_to_nothing(now: Situation) -> c.Command:
    return c.GiveAnswer(at=now.at, by="medic", policy=now.rules, n=99, answer="accept", channel="websocket")


def report(policy: Policy = TWO, *, key: str | None = None) -> Order:
    new = NewIncident(reference="R", kind="trauma", details=Details(SQUARE))
    remember = None if key is None else Remembered("room", key, b"", "i1", AT)
    make = opening(new, "key", policy)
    return Order(make, details=lambda _: new.details, policy=policy, remember=remember)


def test_no_other_plan_asks_them_until_it_is_dropped() -> None:
    desk = Desk(3)
    first, second = desk.plan("i1", report()), desk.plan("i2", report())
    assert desk.asked(first, "i1") == ["medic-000", "medic-001"]
    assert desk.asked(second, "i2") == ["medic-002"]
    desk.roster.give_back(first.taken)
    assert desk.asked(desk.plan("i3", report()), "i3") == ["medic-000", "medic-001"]


def test_one_that_needs_an_incident_that_is_not_held_takes_nobody() -> None:
    desk = Desk(2)
    desk.commit(desk.plan("less", report(a_policy(waves=[(0, 1)], priority=5))))
    with pytest.raises(NotLocked) as missing:
        desk.plan("more", report())
    assert missing.value.incident_ids == {"less"}
    plan = desk.plan("more", report(), locked=("less",))
    assert desk.asked(plan, "more") == ["medic-000", "medic-001"]
    (left,) = plan.parts["less"].state.alerts  # type: ignore[union-attr]
    assert (left.state, left.reason) == ("stood_down", "engaged")


def test_whom_it_had_taken_before_it_found_that_is_given_back() -> None:
    desk = Desk(2)
    desk.roster.hold_alert("medic-001", incident_id="less", n=1, priority=9, drill=False, engaged=False)
    one = a_policy(waves=[(0, 1)])
    more = Order(lambda now: c.More(at=now.at, by="control_room", policy=now.rules, count=1))
    with pytest.raises(NotLocked):
        desk.plan("more", report(one), more)
    assert desk.asked(desk.plan("other", report(one)), "other") == ["medic-000"]


def test_one_order_that_is_refused_leaves_the_others_and_its_key_is_not_remembered() -> None:
    desk = Desk(2)
    answer, again = (
        Order(an_answer_to_nothing, remember=Remembered("room", "refused", b"", "i1", AT)),
        report(key="twice"),
    )
    opened = report(key="taken")
    orders = (opened, answer, again)
    plan = desk.plan("i1", *orders)
    assert [order for order in orders if order in plan.refused] == [answer, again]
    assert desk.asked(plan, "i1") == ["medic-000", "medic-001"]
    append = plan.append((answer, again, opened))
    assert append.remember is not None
    assert append.remember.key == "taken"


def test_the_orders_of_one_plan_know_whom_the_earlier_ones_asked() -> None:
    desk = Desk(4)
    plan = desk.plan("i1", report(), Order(leaving(1, "opted_out")), Order(leaving(2, "deleted")))
    assert desk.asked(plan, "i1") == [f"medic-{i:03}" for i in range(4)]
    assert [one.n for one in plan.parts["i1"].asked] == [1, 2, 3, 4]
    assert not plan.refused


def test_nothing_that_changes_nothing_is_written() -> None:
    desk = Desk(1)
    desk.commit(desk.plan("i1", report()))
    plan = desk.plan("i1", Order(lambda now: c.Tick(at=now.at, policy=now.rules)))
    assert plan.append(()).streams == ()
