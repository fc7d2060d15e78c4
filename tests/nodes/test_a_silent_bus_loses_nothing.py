"""Hints are lost, the tables are not: a connection that went silent costs a moment and is made again."""

import asyncio

import pytest

from dispatch.nodes import bus
from tests.dispatcher.town import until


class Deaf:
    """A listening connection, of which nothing comes back any more from when the test says so.

    Unrealistic: what is asked of it is answered, and only what it hears is lost.
    """

    def __init__(self, connection):
        self._connection = connection
        self.silent = False
        self.closed = False

    async def add_listener(self, channel, callback):
        def heard(*about):
            if not self.silent:
                callback(*about)

        await self._connection.add_listener(channel, heard)

    def add_termination_listener(self, callback):
        self._connection.add_termination_listener(callback)

    async def execute(self, *about):
        return await self._connection.execute(*about)

    def is_closed(self):
        return self._connection.is_closed()

    def terminate(self):
        self.closed = True
        self._connection.terminate()


@pytest.fixture
async def listening(nodes, monkeypatch):
    """The two nodes, and the connections that b has listened by so far."""
    monkeypatch.setattr(bus, "CANARY_S", 0.5)
    a, b = nodes
    made = []
    real = b.node.bus._listen

    async def listen():
        made.append(Deaf(await real()))
        return made[-1]

    b.node.bus._listen = listen
    await until(lambda: a.node.bus.listening and b.node.bus.listening)
    b.node.bus._broken.set()  # the connection that it had is left as if it broke
    await b.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dispatch bus'"
        " and datname = current_database()"
    )
    await until(lambda: made and b.node.bus.listening and a.node.bus.listening)
    return a, b, made


async def test_gone_silent_it_is_found_out_and_made_again(listening):
    _, b, made = listening
    made[-1].silent = True
    before = len(made)
    await until(lambda: len(made) > before and b.node.bus.listening, within_s=5)
    assert made[before - 1].closed


async def test_meanwhile_alerts_arrive_all_the_same(listening):
    a, b, made = listening
    made[-1].silent = True
    device = b.connect("medic-000")
    await until(lambda: a.roster.counts().connected == 1, within_s=1)
    await a.report()
    await until(lambda: device.of("alert"), within_s=1)


async def test_it_shows_on_readyz_while_it_is_dead(listening, monkeypatch):
    _, b, made = listening

    async def refuse():
        raise OSError("no way")

    b.node.bus._listen = refuse
    made[-1].terminate()
    await until(lambda: not b.node.bus.listening)
    (check,) = [check for check in b.node.checks() if check.name == "bus"]
    assert not check.ok
    assert not check.needed
    assert "LISTEN" in check.hint


async def test_looks_that_fail_for_long_show_on_readyz_until_one_succeeds(nodes, monkeypatch):
    a, _ = nodes

    def ok() -> bool:
        (check,) = [check for check in a.node.checks() if check.name == "following"]
        return check.ok

    async def fails(*_: object) -> None:
        raise OSError("not to be read")

    await until(ok)
    monkeypatch.setattr("dispatch.service.following.LOOKED_S_MAX", 0.6)
    with monkeypatch.context() as broken:
        broken.setattr("dispatch.store.nodes.look", fails)
        await until(lambda: not ok())
    await until(ok)


async def test_with_no_bus_at_all_everything_is_there_within_the_second(nodes):
    a, b = nodes
    for node in nodes:
        node.node.bus.hint = lambda: None
        node.node.bus._tell = lambda: None
    device = b.connect("medic-000")
    await until(lambda: a.roster.counts().connected == 1, within_s=1)
    record = await a.report()
    await until(lambda: device.of("alert"), within_s=1)
    await b.answer(record, 1, "accept")
    await until(lambda: a.roster.held("medic-000")[0].engaged, within_s=1)


@pytest.mark.parametrize("forgotten", ["true", "no < (select max(no) from news)"], ids=["all", "the first"])
async def test_news_that_were_forgotten_unread_are_told_again(nodes, forgotten):
    a, b = nodes
    await b.node.following.close()
    await b.node._with_others.cancel()
    device = a.connect("medic-000")
    await asyncio.sleep(0.3)
    a.disconnect(device)
    a.connect("medic-001")
    await asyncio.sleep(0.3)
    await a.pool.execute(f"delete from news where {forgotten}")
    former = b.membership.id
    for work in (b.node.following.run(), b.node.newsroom.run()):
        b.node._with_others.spawn(work)
    await until(lambda: b.membership.id != former, within_s=2)
    await until(lambda: b.node.presence.elsewhere("medic-001"), within_s=2)
    assert not b.node.presence.elsewhere("medic-000")
