"""An incident that has ended, as every device knows, is in no node's memory, whoever decided it."""

from dispatch.core import commands as c
from tests.dispatcher.town import until


async def lived(a, b):
    """Reported and closed at a, with half of the devices on b: each node decides some of it."""
    record = await a.report("cardiac_arrest")
    for close in (False, True):
        if close:
            await a.dispatcher.command(record.id, "key-1", c.Close)
        for i, asked in enumerate(record.asked):
            device = (a, b)[i % 2].devices[asked.medic_id]
            wanted = f"{record.id}-{asked.n}"
            purpose = "stand_down" if close else "alert"
            await until(lambda d=device, w=wanted, p=purpose: w in [f["alert_id"] for f in d.of(p)])
            frame = next(f for f in device.of(purpose) if f["alert_id"] == wanted)
            await (a, b)[i % 2].dispatcher.acknowledged(asked.medic_id, frame["id"])


async def test_it_is_forgotten_on_both_and_not_read_again_because_another_incident_was_decided(nodes):
    a, b = nodes
    for i in range(4):
        (a, b)[i % 2].connect(f"medic-{i:03}")
    await until(lambda: a.roster.counts().connected == 4 and b.roster.counts().connected == 4)
    for _ in range(5):
        await lived(a, b)
    for node in nodes:
        await until(lambda node=node: len(node.dispatcher.decisions.memory) == 0)
        assert len(node.dispatcher._her_alerts) == 0
        assert not any(node.roster.held(f"medic-{i:03}") for i in range(4))
    left = await b.report("cardiac_arrest")
    for node in nodes:
        await until(lambda node=node: [live.id for live in node.dispatcher.decisions.lives()] == [left.id])
