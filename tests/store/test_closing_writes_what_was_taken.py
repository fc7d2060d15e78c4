"""The appender's own life: nothing taken is dropped, and nobody waits for ever."""

import asyncio

import pytest
from made import opening

from dispatch.store import incidents
from dispatch.store.appender import Appender
from tests.joined import joined


async def test_all_that_waits_is_written(db):
    appender = Appender(db, await joined(db))
    await appender.start()
    works = [opening(f"i{i:03d}") for i in range(150)]
    waiting = [asyncio.create_task(appender.append(work)) for work in works]
    await asyncio.sleep(0)
    await appender.close()
    assert [list(await one) for one in waiting] == [[f"i{i:03d}"] for i in range(150)]
    with pytest.raises(RuntimeError):
        await appender.append(opening("late"))
    await appender.close()


async def test_a_caller_who_goes_leaves_the_write_going_on(db):
    appender = Appender(db, await joined(db))
    await appender.start()
    gone, stays = (asyncio.create_task(appender.append(opening(name))) for name in ("i1", "i2"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    await appender.close()
    assert await incidents.load(db, "i1") is not None


async def test_it_gives_its_connection_back(db):
    appender = Appender(db, await joined(db))
    await appender.start()
    await appender.append(opening("i1"))
    assert db.get_idle_size() == db.get_size() - 1
    await appender.close()
    assert db.get_idle_size() == db.get_size()
