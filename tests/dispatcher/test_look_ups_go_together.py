"""Who asks while a look is under way shares the next one; a failure is shared by those in it alone."""

import asyncio

import pytest

from dispatch.together import AT_ONCE_MAX, Together


async def test_those_who_ask_meanwhile_share_one_look():
    looks: list[list[int]] = []
    go_on = asyncio.Event()

    async def find_all(keys: list[int]) -> dict[int, str]:
        looks.append(keys)
        await go_on.wait()
        return {key: str(key) for key in keys if key % 2}

    together = Together(find_all)
    asking = [asyncio.create_task(together.find(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking += [asyncio.create_task(together.find(key)) for key in (2, 3, 3)]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*asking) == ["1", None, "3", "3"]
    assert looks == [[1], [2, 3]]


async def test_a_look_is_bounded_and_its_failure_is_its_own():
    async def find_all(keys: list[int]) -> dict[int, int]:
        if 0 in keys:
            raise OSError("the database went away")
        return {key: key for key in keys}

    together = Together(find_all)
    asking = [asyncio.create_task(together.find(key)) for key in range(AT_ONCE_MAX + 1)]
    given_up = asking.pop(5)
    await asyncio.sleep(0)
    given_up.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert answers[-1] == AT_ONCE_MAX
    assert {type(answer) for answer in answers[:-1]} == {OSError}
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_who_asks_in_the_moment_in_which_a_look_ends_is_answered():
    """The task of that look is not known to have ended yet."""
    asking: list[asyncio.Task[int | None]] = []

    async def find_all(keys: list[int]) -> dict[int, int]:
        if keys == [1]:
            asking.append(asyncio.create_task(together.find(2)))
        return {key: key for key in keys}

    together = Together(find_all)
    assert await together.find(1) == 1
    async with asyncio.timeout(1):
        assert await asking[0] == 2
