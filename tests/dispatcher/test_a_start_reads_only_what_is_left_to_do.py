"""However many incidents the last hour had: what has ended and is told to everybody is left where it is.

Whatever is owed is read, and comes to its end: live incidents with their timers, sends of which the outcome
is not known, devices that have not heard their stand-down.
"""

from typing import Any

import pytest
from texting import Texting
from town import KEY, Device, Town, a_policy, some_medics, states, until

from dispatch.core import commands as c
from dispatch.records import Record
from dispatch.store import incidents

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
