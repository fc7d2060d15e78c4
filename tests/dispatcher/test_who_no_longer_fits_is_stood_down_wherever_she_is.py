"""A home wants clearance: who has none is stood down also where nobody knows any more where she is."""

from town import KEY, SQUARE, a_medic, a_policy, states

from dispatch.records import Change, Fix


async def test_whose_fix_has_grown_stale_since_she_was_asked(start_town):
    town = await start_town(policies={"trauma": a_policy(fix_stale_s=60)})
    await town.add([a_medic("anna", 0, places=(), cleared_for_homes=False)])
    await town.dispatcher.moved(Fix("anna", SQUARE.lat, SQUARE.lon, 200, town.clock.now_ms()))
    record = await town.report()
    assert [asked.medic_id for asked in record.asked] == ["anna"]
    await town.pass_time(70)
    change = Change(fields=("setting",), setting="private", details=record.details)
    now = await town.dispatcher.update(record.id, KEY, change)
    assert (states(now), now.state.alerts[0].reason) == (["stood_down"], "changed")
