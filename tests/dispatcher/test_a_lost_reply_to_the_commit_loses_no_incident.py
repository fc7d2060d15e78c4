"""The connection breaks in the middle of a commit: what was written goes out, nothing is written twice."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cut import Proxy
from town import KEY, Town, asked_by, some_medics, soon, states

from dispatch.core import commands as c
from dispatch.records import Record
from dispatch.store import idempotency
from dispatch.store.appends import KeyTaken, Remembered, Unavailable


@pytest.fixture
async def proxy(database_url) -> AsyncIterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="cut") as folder:
        proxy = Proxy(database_url, Path(folder))
        await proxy.start()
        yield proxy
        await proxy.stop()


@pytest.fixture
async def cut_off(proxy, start_town) -> Town:
    """A node behind the proxy, which has decided once: every statement of the append is prepared."""
    town: Town = await start_town(proxy.dsn, patience_s=0.3, deaf=True)
    await town.add(some_medics(4))
    record = await town.report("trauma", north_m=50_000)
    assert record.asked == ()
    await town.quiet()
    return town


def once(wanted: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    """True to the first that is wanted."""
    left = [True]

    def ask(data: bytes) -> bool:
        return bool(left and wanted(data) and left.pop())

    return ask


def an_append(data: bytes) -> bool:
    return b"IncidentOpened" in data or b"AlertAnswered" in data


def reply_to_an_append(proxy: Proxy) -> Callable[[bytes], bool]:
    """The reply that follows an append's request."""
    asked = []

    def request(data: bytes) -> bool:
        if an_append(data):
            asked.append(True)
        return False

    proxy.cut_request = request
    return once(lambda _: bool(asked))


def go_away(proxy: Proxy) -> None:
    """The database can not be reached any more, over connections that there are either."""
    proxy.refusing = True
    proxy.cut_request = lambda _: True


def go_away_with(proxy: Proxy, last_reply: Callable[[bytes], bool]) -> None:
    def cut(data: bytes) -> bool:
        lost = last_reply(data)
        if lost:
            go_away(proxy)
        return lost

    proxy.cut_reply = cut


def come_back(proxy: Proxy) -> None:
    proxy.refusing = False
    proxy.cut_request = lambda _: False


async def opened(town: Town, count: int) -> list[Record]:
    """The incidents beside the first, once there are so many in memory."""

    async def ids() -> list[str]:
        rows = await town.pool.fetch("select id from incident where reference like 'lost%'")
        return [row["id"] for row in rows]

    await soon(lambda: _in_memory(town, count))
    records = [await town.dispatcher.get(incident_id) for incident_id in await ids()]
    return [record for record in records if record is not None]


async def _in_memory(town: Town, count: int) -> bool:
    return sum(live.record is not None for live in town.dispatcher.decisions.lives()) == 1 + count


async def test_a_reply_lost_is_found_and_the_caller_told_of_success(cut_off, proxy):
    proxy.cut_reply = reply_to_an_append(proxy)
    record = await cut_off.report(reference="lost")
    assert len(record.asked) == 3
    assert all(cut_off.devices[asked.medic_id].of("alert") for asked in record.asked)
    assert [one.id for one in await opened(cut_off, 1)] == [record.id]


async def test_where_the_database_stays_away_the_caller_is_told_so_and_the_alerts_still_go_out(
    cut_off, proxy
):
    go_away_with(proxy, reply_to_an_append(proxy))
    with pytest.raises(Unavailable):
        await cut_off.report(reference="lost")
    assert not any(device.frames for device in cut_off.devices.values())
    come_back(proxy)
    (record,) = await opened(cut_off, 1)
    assert {asked.medic_id for asked in record.asked} == {"medic-000", "medic-001", "medic-002"}
    for asked in record.asked:
        assert len(cut_off.devices[asked.medic_id].of("alert")) == 1


async def test_who_knows_of_it_by_another_node_is_not_told_that_there_is_none(cut_off, proxy):
    go_away_with(proxy, reply_to_an_append(proxy))
    report = asyncio.create_task(cut_off.report(reference="lost"))
    lives = cut_off.dispatcher.decisions.lives
    while not (begun := [live for live in lives() if live.record is None]):
        await asyncio.sleep(0)
    closing = asyncio.create_task(cut_off.dispatcher.command(begun[0].id, KEY, c.Close))
    with pytest.raises(Unavailable):
        await report
    with pytest.raises(Unavailable):
        await closing
    come_back(proxy)
    await opened(cut_off, 1)
    closed = await cut_off.dispatcher.command(begun[0].id, KEY, c.Close)
    assert closed.state.state == "closed"


async def test_one_that_was_never_written_is_forgotten(cut_off, proxy):
    def cut(data: bytes) -> bool:
        if an_append(data):
            go_away(proxy)
            return True
        return False

    proxy.cut_request = once(cut)
    with pytest.raises(Unavailable):
        await cut_off.report(reference="lost")
    come_back(proxy)
    record = await cut_off.report(reference="lost")
    assert len(record.asked) == 3
    assert [one.id for one in await opened(cut_off, 1)] == [record.id]


async def test_the_same_key_opens_no_second_incident(cut_off, proxy):
    go_away_with(proxy, reply_to_an_append(proxy))

    def remember(incident_id: str) -> Remembered:
        return Remembered(cut_off.room_id, "key", b"hash", incident_id, cut_off.clock.now_ms())

    with pytest.raises(Unavailable):
        await cut_off.report(reference="lost", remember=remember)
    come_back(proxy)
    with pytest.raises(KeyTaken):
        await cut_off.report(reference="lost-again", remember=remember)
    known = await idempotency.find(cut_off.pool, cut_off.room_id, "key", at=cut_off.clock.now_ms())
    assert known is not None
    now = await cut_off.dispatcher.get(known.subject)
    assert now is not None
    assert [one.id for one in await opened(cut_off, 1)] == [now.id]
    assert len(now.asked) == 3


async def test_an_answer_in_doubt_is_read_back_and_what_follows_from_it_goes_out(cut_off, proxy):
    record = await cut_off.report()
    await cut_off.quiet()
    go_away_with(proxy, reply_to_an_append(proxy))
    with pytest.raises(Unavailable):
        await cut_off.answer(record, 1, "decline")
    come_back(proxy)

    async def replaced() -> bool:
        return bool(cut_off.devices["medic-003"].of("alert"))

    await soon(replaced)
    now = await cut_off.now(record)
    assert asked_by(now)["medic-000"].state == "declined"
    assert await cut_off.answer(record, 1, "decline") == "declined"
    assert len(cut_off.devices["medic-003"].of("alert")) == 1


async def test_a_tick_that_met_no_database_is_made_up_for(cut_off, proxy):
    record = await cut_off.report()
    await cut_off.quiet()
    go_away(proxy)
    cut_off.clock.move(61)
    cut_off.dispatcher.decisions.tick_all_due()
    await asyncio.sleep(0.5)
    come_back(proxy)

    async def asked() -> bool:
        return len((await cut_off.now(record)).asked) == 4

    await soon(asked)
    assert cut_off.devices["medic-003"].of("alert")


async def test_stopping_without_a_database_ends(cut_off, proxy):
    record = await cut_off.report()
    await cut_off.quiet()
    go_away(proxy)
    await cut_off.acknowledge(record)
    async with asyncio.timeout(15):
        await cut_off.dispatcher.close()
    assert states(record) == ["requested"] * 3
    come_back(proxy)
