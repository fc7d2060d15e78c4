"""A report, and the phones of those who can be there first ring."""

from town import a_medic, asked_by, some_medics, states

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.evolve import evolve_all


async def test_ten_of_thirty_are_alerted_nearest_first(town):
    devices = await town.add(reversed(some_medics(30)))
    record = await town.report("cardiac_arrest")
    alerted = {device.medic_id for device in devices if device.frames}
    assert alerted == {f"medic-{i:03}" for i in range(10)}
    assert [asked.medic_id for asked in record.asked] == sorted(alerted)
    for device in devices:
        assert len(device.frames) == (device.medic_id in alerted)
    frame = town.devices["medic-000"].frames[0]
    assert frame["type"] == "alert"
    assert frame["alert_id"] == f"{record.id}-1"
    assert frame["incident"]["id"] == record.id


async def test_who_is_not_connected_is_passed_over(town):
    await town.add(some_medics(5))
    await town.add([a_medic("near", 5)], connected=False)
    record = await town.report()
    assert [asked.medic_id for asked in record.asked] == ["medic-000", "medic-001", "medic-002"]


async def test_an_acknowledged_message_is_delivered_and_a_silent_one_sent(town):
    await town.add(some_medics(3))
    record = await town.report()
    await town.acknowledge_all(town.devices["medic-001"])
    await town.quiet()
    assert states(await town.now(record)) == ["sent", "delivered", "sent"]


async def test_the_whole_life_is_what_its_events_tell(town):
    devices = await town.add(some_medics(30))
    record = await town.report("cardiac_arrest")
    await town.acknowledge_all(*devices[:10])
    for n in (2, 4, 6):
        assert await town.answer(record, n, "decline") == "declined"
    for n in (1, 3, 5):
        assert await town.answer(record, n, "accept") == "accepted"
    await town.quiet()
    await town.dispatcher.command(record.id, "key-1", c.Close)
    await town.quiet()
    now, stored = await town.now(record), await town.stored(record)
    assert stored == now
    assert evolve_all(None, await town.events(record)) == now.state
    assert now.state.state == "closed"
    assert [device.medic_id for device in devices if device.of("stand_down")] == [
        medic_id for medic_id, alert in asked_by(now).items() if alert.state == "stood_down"
    ]


async def test_a_decline_is_replaced_by_the_next_nearest(town):
    await town.add(some_medics(5))
    record = await town.report()
    await town.answer(record, 2, "decline")
    now = await town.now(record)
    assert [asked.medic_id for asked in now.asked][3:] == ["medic-003"]
    assert town.devices["medic-003"].of("alert")


async def test_the_second_wave_comes_at_its_time(town):
    await town.add(some_medics(8))
    record = await town.report()  # 3 at once, 3 more after 60 s
    await town.pass_time(59)
    assert len((await town.now(record)).asked) == 3
    await town.pass_time(1.1)
    assert len((await town.now(record)).asked) == 6


async def test_nobody_there_is_told_at_once(town):
    record = await town.report()
    assert any(isinstance(event, e.NobodyFound) for event in await town.events(record))


async def test_who_connects_later_is_found_by_the_next_look(town):
    await town.add([a_medic("late", 100)], connected=False)
    record = await town.report()
    device = town.connect("late")
    await town.pass_time(10.1)
    assert device.of("alert")
    assert len((await town.now(record)).asked) == 1
