"""A node dies after it put an alert on a socket and before that was written: her phone may ring all the same.

Found by the fault simulator: the restarted node said that she certainly never had it, and told her no more.
"""

from town import KEY, a_policy, some_medics

from dispatch.core import commands as c
from dispatch.core import events as e

ONE_SOCKET = {"trauma": a_policy(waves=[(0, 1)], ladder=[("websocket", 0)], answer_within_s=60)}


async def test_she_is_stood_down_when_she_comes_back(start_town):
    town = await start_town(policies=ONE_SOCKET)
    (device,) = await town.add(some_medics(1))
    record = await town.report()
    assert len(device.of("alert")) == 1
    await town.kill()

    again = await start_town(node_id="node-b", policies=ONE_SOCKET)
    await again.quiet()
    (failed,) = [one for one in await again.events(record) if isinstance(one, e.NotificationFailed)]
    assert (failed.reason, failed.definite) == ("no_socket", False)
    await again.dispatcher.command(record.id, KEY, c.Close)
    told = [one for one in await again.events(record) if isinstance(one, e.NotificationRequested)]
    assert [one.purpose for one in told] == ["alert", "stand_down"]
    await again.quiet()
    device = again.connect(device.medic_id)
    await again.quiet()
    assert [frame["alert_id"] for frame in device.of("stand_down")] == [f"{record.id}-1"]
