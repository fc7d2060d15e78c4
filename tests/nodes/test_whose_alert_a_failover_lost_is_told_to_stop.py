"""A standby was promoted that had not received an alert: a phone shows what nobody knows of any more."""

from typing import Any

import pytest

from dispatch.core import commands as c
from dispatch.deciding.live import Live
from dispatch.service.lost_alerts import DECIDED_ANEW_S
from tests.dispatcher.conftest import StartTown
from tests.dispatcher.town import KEY, Device, Town, a_policy, some_medics, until
from tests.nodes.conftest import two
from tests.nodes.standby import Standby

pytestmark = pytest.mark.usefixtures("promote")


async def test_for_a_lost_incident_at_the_node_that_decided_and_at_the_other(
    standby: Standby, start_town: StartTown
) -> None:
    a, b = await two(start_town)
    here, there = a.connect("medic-000"), b.connect("medic-001")
    await until(lambda: a.roster.counts().connected == 2)
    await standby.receives_all()
    lost = await a.report()
    await until(lambda: here.of("alert") and there.of("alert"))
    await a.acknowledge_all(here)
    await standby.is_promoted()
    await until(lambda: not any(knows(town, lost.id) for town in (a, b)))
    await until(lambda: a.clock.sleeping and b.clock.sleeping)
    assert not stops(here)
    assert not stops(there)
    for town in (a, b):
        await decided_anew(town)
    assert stops(here) == [(f"{lost.id}-1", "lost")]
    assert stops(there) == [(f"{lost.id}-2", "lost")]
    assert await a.dispatcher.alerts_of("medic-000") == []


async def test_when_she_comes_back_to_whichever_node_until_she_has_it(
    standby: Standby, start_town: StartTown
) -> None:
    a, b = await two(start_town)
    gone = a.connect("medic-000")
    await until(lambda: b.roster.counts().connected == 1)
    await standby.receives_all()
    lost = await a.report()
    await until(lambda: gone.of("alert") and knows(b, lost.id))
    a.disconnect(gone)
    await standby.is_promoted()
    await until(lambda: not any(knows(town, lost.id) for town in (a, b)))
    await until(lambda: a.clock.sleeping and b.clock.sleeping)
    for town in (a, b):
        await decided_anew(town)
    for town in (a, b):
        back = town.connect("medic-000")
        assert stops(back) == [(f"{lost.id}-1", "lost")]
        assert not back.of("alert")
        await town.acknowledge_all(back)
        assert not stops(town.connect("medic-000"))


async def test_for_a_lost_alert_of_an_incident_that_is_there_but_not_who_is_asked_again(
    standby: Standby, start_town: StartTown
) -> None:
    waves = a_policy("trauma", waves=((0, 1), (30, 2), (3600, 1)), wanted=3)
    town, device = await one_with(start_town, waves, "medic-000", "medic-001", "medic-002")
    incident = await town.report()
    await town.acknowledge_all(device["medic-000"])
    await town.quiet()
    await standby.receives_all()
    await town.pass_time(31)
    assert device["medic-001"].of("alert")
    assert device["medic-002"].of("alert")
    await town.acknowledge_all(*device.values())
    await standby.is_promoted()
    before = town.membership.id
    await until(lambda: town.membership.id != before)
    await until(lambda: len(device["medic-001"].of("alert")) == 2)
    await decided_anew(town)
    assert not any(stops(one) for one in device.values())
    assert [alert.n for alert in (await town.stored(incident)).state.alerts] == [1, 2, 3]


async def test_where_nobody_is_asked_again(standby: Standby, start_town: StartTown) -> None:
    """What had asked for more is lost too. Meanwhile she connects, and is shown nothing."""
    policy = a_policy("trauma", waves=((0, 1), (3600, 1)))
    town, device = await one_with(start_town, policy, "medic-000", "medic-001")
    incident = await town.report()
    await town.quiet()
    await standby.receives_all()
    await town.dispatcher.more(incident.id, KEY, 1)
    lost = device["medic-001"]
    assert lost.of("alert")
    town.disconnect(lost)
    await standby.is_promoted()
    await until(lambda: len(live_of(town, incident.id).by_n) == 1)
    back = town.connect("medic-001")
    assert await town.dispatcher.alerts_of("medic-001") == []
    await decided_anew(town)
    assert stops(back) == [(f"{incident.id}-2", "lost")]


async def test_whose_number_is_anothers_now(standby: Standby, start_town: StartTown) -> None:
    town, device = await one_with(
        start_town, a_policy("trauma", waves=((0, 1), (30, 1))), "medic-000", "medic-001"
    )
    incident = await town.report()
    await town.quiet()
    await standby.receives_all()
    await town.pass_time(31)
    await town.acknowledge_all(*device.values())
    lost = device["medic-001"]
    await until(lambda: lost.of("alert"))
    town.disconnect(lost)
    device["medic-002"] = town.connect("medic-002")
    await standby.is_promoted()
    await until(lambda: device["medic-002"].of("alert"))
    back = town.connect("medic-001")
    shown = await town.dispatcher.alerts_of("medic-001")
    assert [one.message.alert_id for one in shown] == []
    assert not back.of("alert")
    await decided_anew(town)
    assert stops(back) == [(f"{incident.id}-2", "lost")]
    assert device["medic-002"].of("alert")[0]["alert_id"] == f"{incident.id}-2"


async def test_what_she_said_of_it_is_not_taken_for_who_has_its_number_now(
    standby: Standby, start_town: StartTown
) -> None:
    policy = a_policy("trauma", waves=((0, 1), (30, 1)))
    town, device = await one_with(start_town, policy, "medic-000", "medic-001")
    incident = await town.report()
    await town.quiet()
    await standby.receives_all()
    await town.pass_time(31)
    lost, other = device["medic-001"], town.connect("medic-002")
    live = live_of(town, incident.id)
    async with live.lock:
        await town.acknowledge_all(device["medic-000"], lost)
        await until(lambda: live.lock.wanted > 1)
        town.disconnect(lost)
        await standby.has_the_last_say()
    await until(lambda: other.of("alert"))
    assert other.of("alert")[0]["alert_id"] == f"{incident.id}-2"


async def test_a_report_asks_who_had_an_alert_of_a_lost_incident(
    standby: Standby, start_town: StartTown
) -> None:
    """Before any node has looked: the first to decide finds out."""
    town, _ = await one_with(start_town, a_policy("trauma"), "medic-000")
    await standby.receives_all()
    lost = await town.report()
    await town.quiet()
    await standby.has_the_last_say()
    found = await town.report("cardiac_arrest")
    assert [one.medic_id for one in found.asked][:1] == ["medic-000"]
    assert not knows(town, lost.id)
    with pytest.raises(LookupError):
        await town.dispatcher.command(lost.id, KEY, c.Cancel)


async def one_with(start_town: StartTown, policy: Any, *connected: str) -> tuple[Town, dict[str, Device]]:
    """One node that begins, with twelve medics, some connected."""
    town = await start_town(policies={"trauma": policy})
    await town.add(some_medics(12), connected=False)
    return town, {medic_id: town.connect(medic_id) for medic_id in connected}


async def decided_anew(town: Town) -> None:
    """The time for that has passed."""
    town.clock.move(DECIDED_ANEW_S)
    await until(lambda: not town.dispatcher._lost_alerts._waiting)


def stops(device: Device) -> list[tuple[str, str]]:
    return [(frame["alert_id"], frame["reason"]) for frame in device.of("stand_down")]


def live_of(town: Town, incident_id: str) -> Live:
    live = town.dispatcher.decisions.memory.get(incident_id)
    assert live is not None
    return live


def knows(town: Town, incident_id: str) -> bool:
    return town.dispatcher.decisions.memory.get(incident_id) is not None
