"""However many incidents the last hour had: what has ended and is told to everybody is left where it is.

Whatever is owed is read, and comes to its end: live incidents with their timers, sends of which the outcome
is not known, devices that have not heard their stand-down.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from texting import Texting
from town import KEY, Device, Town, a_policy, some_medics, states, until

from dispatch.core import commands as c
from dispatch.records import Record
from dispatch.service import dispatcher, taking_up
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import alerts, incidents, medics

POLICIES = {
    "trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0)], answer_within_s=60),
    "choking": a_policy("choking", waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=60),
}
PEOPLE = some_medics(4)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The incidents that are read from the database, in order."""
    ids: list[str] = []
    load_many = incidents.load_many

    async def noted(db: Any, incident_ids: list[str]) -> list[Record]:
        ids.extend(incident_ids)
        return await load_many(db, incident_ids)

    monkeypatch.setattr(incidents, "load_many", noted)
    return ids


async def by_socket(town: Town, i: int) -> tuple[Record, Device]:
    """An incident for which medic ``i`` is asked, whose device has it."""
    (device,) = await town.add([PEOPLE[i]])
    record = await town.report()
    assert [asked.medic_id for asked in record.asked] == [PEOPLE[i].id]
    await town.acknowledge_all(device)
    await town.quiet()
    return record, device


async def ended(town: Town, i: int, *, heard: bool) -> Record:
    """Closed, and her device gone: before it heard of that, or after."""
    record, device = await by_socket(town, i)
    if not heard:
        town.disconnect(device)
    await town.dispatcher.command(record.id, KEY, c.Close)
    await town.quiet()
    if heard:
        await town.acknowledge_all(device)
        await town.quiet()
        town.disconnect(device)
    return record


async def cancelled_by_sms(town: Town, texting: Texting) -> Record:
    """Cancelled while nobody knows what became of the SMS that alerted her: the provider has it."""
    texting.twilio.callback_delay_s = 10**6
    texting.twilio.reset_next(accepted=True)
    await town.add([PEOPLE[0]], connected=False)
    record = await town.report("choking")
    await town.quiet()
    await town.dispatcher.command(record.id, KEY, c.Cancel)
    return record


async def test_what_is_settled_is_not_read_and_nothing_owed_is_missed(start_town, texting: Texting, read):
    town = await start_town(channels=texting.channels, policies=POLICIES)
    unknown = await cancelled_by_sms(town, texting)
    settled = await ended(town, 1, heard=True)
    unheard = await ended(town, 2, heard=False)
    live, _ = await by_socket(town, 3)
    await town.kill()
    read.clear()

    town = await start_town(node_id="node-b", channels=texting.channels, policies=POLICIES)
    owed = {unknown.id, live.id}
    assert set(read) == owed
    memory = town.dispatcher.decisions.memory
    await until(lambda: memory.get(unheard.id) is not None)
    assert sorted(read) == sorted([*owed, unheard.id]), "each once"
    assert memory.get(settled.id) is None

    assert town.connect(PEOPLE[1].id).frames == []
    device = town.connect(PEOPLE[2].id)
    await town.quiet()
    assert [frame["alert_id"] for frame in device.of("stand_down")] == [f"{unheard.id}-1"]
    await town.acknowledge_all(device)
    await town.quiet()
    assert memory.get(unheard.id) is None
    await town.pass_time(61)
    await texting.twilio.settle()
    assert states(await town.now(live))[0] == "expired"
    assert [len(texting.texts_to(one.phone)) for one in PEOPLE] == [2, 0, 0, 0]
    assert states(await town.now(settled)) == ["stood_down"]
    assert await incidents.untold(town.pool, 0) == [unknown.id], "no report says that the SMS came"


async def test_who_is_back_before_her_incident_is_loaded_is_told_when_it_is(start_town, monkeypatch):
    town = await start_town(policies=POLICIES)
    unheard = await ended(town, 2, heard=False)
    await town.kill()
    untold, asked = incidents.untold, []

    async def late(*arguments: Any) -> list[str]:
        if not asked:
            asked.append(arguments)
            raise OSError("the connection broke")
        assert town.devices[PEOPLE[2].id].frames == []
        return await untold(*arguments)

    monkeypatch.setattr(incidents, "untold", late)
    town = await start_town(node_id="node-b", policies=POLICIES)
    device = town.connect(PEOPLE[2].id)
    await until(lambda: device.of("stand_down"))
    assert [frame["alert_id"] for frame in device.of("stand_down")] == [f"{unheard.id}-1"]


async def test_while_devices_come_back_what_ended_waits(start_town, read, monkeypatch):
    town = await start_town(policies=POLICIES)
    unheard = await ended(town, 2, heard=False)
    await town.kill()
    read.clear()

    come = [True]
    monkeypatch.setattr(Dispatcher, "_devices_come", lambda _: come[0])
    town = await start_town(node_id="node-b", policies=POLICIES)
    device = town.connect(PEOPLE[2].id)
    await asyncio.sleep(4 * taking_up.LOOK_S)
    assert read == [] == device.frames
    come[0] = False
    await until(lambda: device.of("stand_down"))
    assert read == [unheard.id]


async def test_devices_that_never_cease_to_come_hold_up_nothing_for_long(start_town, read, monkeypatch):
    town = await start_town(policies=POLICIES)
    unheard = await ended(town, 2, heard=False)
    await town.kill()
    read.clear()

    monkeypatch.setattr(Dispatcher, "_devices_come", lambda _: True)
    monkeypatch.setattr(taking_up, "DEVICES_FIRST_S_MAX", 0.2)
    await start_town(node_id="node-b", policies=POLICIES)
    await until(lambda: read == [unheard.id])


async def test_a_device_that_came_a_moment_ago_says_that_they_come(start_town, monkeypatch):
    town = await start_town(policies=POLICIES)
    assert not town.dispatcher._devices_come()
    monkeypatch.setattr(dispatcher, "COMING_S", 60.0)
    await town.add(PEOPLE[:1])
    assert town.dispatcher._devices_come()
    monkeypatch.setattr(dispatcher, "COMING_S", 0.0)
    assert not town.dispatcher._devices_come()


async def test_digits_are_gathered_while_medics_are_read(start_town, monkeypatch):
    read_medics, read_digits, both = medics.roster, alerts.digit_pairs, asyncio.Barrier(2)

    async def roster(*arguments: Any) -> AsyncIterator[Any]:
        await both.wait()
        async for batch in read_medics(*arguments):
            yield batch

    async def digit_pairs(*arguments: Any, **options: Any) -> dict[str, int]:
        await both.wait()
        return await read_digits(*arguments, **options)

    monkeypatch.setattr(medics, "roster", roster)
    monkeypatch.setattr(alerts, "digit_pairs", digit_pairs)
    async with asyncio.timeout(10):
        await start_town()


@pytest.mark.parametrize("what", [(medics, "change_no"), (alerts, "digit_pairs")])
async def test_what_can_not_be_read_ends_a_start_with_its_own_error(start_town, monkeypatch, what):
    async def broken(*_arguments: Any, **_options: Any) -> Any:
        raise OSError("the connection broke")

    monkeypatch.setattr(*what, broken)
    with pytest.raises(OSError, match="the connection broke"):
        await start_town()
