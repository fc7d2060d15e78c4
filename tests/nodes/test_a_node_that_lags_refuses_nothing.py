"""What another node has changed a moment ago is no reason to refuse, nor to say that it is so already.

Found by the fault simulator: a close right after a reopen was refused as `ended` by the other node.
"""

from dispatch.core import commands as c
from tests.dispatcher.town import KEY


async def test_a_close_after_a_reopen_elsewhere(nodes):
    a, b = nodes
    record = await a.report()
    await a.dispatcher.command(record.id, KEY, c.Cancel)
    assert (await b.dispatcher.command(record.id, KEY, c.Cancel)).state.state == "cancelled"
    await b.node.alone()  # it follows nobody any more
    await a.dispatcher.command(record.id, KEY, c.Reopen)
    await b.dispatcher.command(record.id, KEY, c.Close)
    assert (await a.stored(record)).state.state == "closed"


async def test_a_repeated_close_is_none_where_it_was_reopened_elsewhere(nodes):
    a, b = nodes
    record = await a.report()
    await b.dispatcher.command(record.id, KEY, c.Close)
    await b.node.alone()
    await a.dispatcher.command(record.id, KEY, c.Reopen)
    await b.dispatcher.command(record.id, KEY, c.Close)
    assert (await a.stored(record)).state.state == "closed"


async def test_an_accept_after_a_reopen_elsewhere(nodes):
    a, b = nodes
    a.connect("medic-000")
    record = await a.report()
    (n,) = [asked.n for asked in record.asked if asked.medic_id == "medic-000"]
    await b.dispatcher.command(record.id, KEY, c.Cancel)
    await b.node.alone()
    await a.dispatcher.command(record.id, KEY, c.Reopen)
    assert await b.answer(record, n, "accept") == "accepted"
