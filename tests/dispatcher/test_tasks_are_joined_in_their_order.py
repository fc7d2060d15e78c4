"""`dispatch.tasks`: what was begun is waited for and cancelled in its own order, and nothing is forgotten."""

import asyncio

from dispatch.tasks import Tasks, ended


async def test_cancelled_in_the_order_begun() -> None:
    tasks, heard = Tasks(), []

    async def work(name: int) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            heard.append(name)

    for name in range(50):
        tasks.spawn(work(name))
    await asyncio.sleep(0)
    await tasks.cancel()
    assert heard == list(range(50))
    assert len(tasks) == 0


async def test_those_spawned_meanwhile_are_waited_for_too() -> None:
    tasks, heard = Tasks(), []

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.spawn(second())

    async def second() -> None:
        await asyncio.sleep(0)
        heard.append("second")

    tasks.spawn(first())
    await tasks.join()
    assert heard == ["second"]


async def test_who_stops_waiting_ends_nothing() -> None:
    task = asyncio.get_running_loop().create_task(asyncio.sleep(0.01, "done"))
    waiting = asyncio.get_running_loop().create_task(ended(task))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await task == "done"
    assert waiting.cancelled()


async def test_a_failure_is_an_end() -> None:
    async def fail() -> None:
        raise ValueError("as expected")

    tasks = Tasks()
    task = tasks.spawn(fail())
    await tasks.join()
    assert isinstance(task.exception(), ValueError)
