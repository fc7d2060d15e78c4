"""The simulator's loop: one seed, one order; a life that has ended does nothing more; time is virtual."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import blake2b

import pytest

from tests.simulator.loop import Life, SimLoop, Stuck

DIGEST = "from tests.simulator.test_the_loop_gives_one_order_for_a_seed import digest; print(digest(7))"


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    made = SimLoop(1)
    yield made
    made.close()
    assert not made.failures


def digest(seed: int) -> str:
    """Of what some tasks did over a few channels, in order."""
    loop, heard = SimLoop(seed), []

    async def one(name: str, queue: "asyncio.Queue[str]", lock: asyncio.Lock) -> None:
        for i in range(5):
            await asyncio.sleep(0.1 * (len(name) % 3))
            async with lock:
                await queue.put(f"{name} {i}")
                heard.append(f"{name} {i} {loop.time():.3f}")

    async def main() -> None:
        queue, lock = asyncio.Queue[str](3), asyncio.Lock()
        tasks = [loop.create_task(one("x" * n, queue, lock)) for n in range(9)]
        for _ in range(45):
            heard.append(await queue.get())
        for task in tasks:
            await task

    loop.run_until_complete(main())
    loop.close()
    return blake2b("\n".join(heard).encode()).hexdigest()


def test_one_seed_one_order() -> None:
    assert digest(1) == digest(1)
    assert len({digest(seed) for seed in range(10)}) == 10


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_hash_seed_changes_nothing(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == digest(7), done.stderr


def test_time_goes_on_only_when_nothing_is_ready(loop: SimLoop) -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        for _ in range(1000):
            await asyncio.sleep(0)
        return loop.time()

    assert loop.run_until_complete(main()) == 3600.0


def test_a_time_out_is_virtual(loop: SimLoop) -> None:
    async def main() -> None:
        async with asyncio.timeout(5):
            await loop.create_future()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(main())
    assert loop.time() == 5.0


def test_the_finally_of_a_dead_life_does_not_run(loop: SimLoop) -> None:
    heard: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(2)
            heard.append("child")
        finally:
            heard.append("finally")

    async def work() -> None:
        loop.create_task(child())
        loop.call_later(2, heard.append, "timer")
        try:
            await asyncio.sleep(2)
        finally:
            heard.append("finally")

    life = Life("node")
    loop.begin(life, work())
    loop.run_until(1)
    loop.end(life)
    loop.run_until(10)
    assert heard == []


def test_an_answer_to_a_dead_life_is_heard_by_nobody(loop: SimLoop) -> None:
    life, heard = Life("node"), []
    answer = loop.create_future()

    async def ask() -> None:
        heard.append(await answer)

    loop.begin(life, ask())
    loop.run_until(1)
    loop.end(life)
    answer.set_result("late")
    loop.run_until(2)
    assert heard == []


def test_a_life_that_stands_still_goes_on_where_it_was(loop: SimLoop) -> None:
    life, heard = Life("node"), []

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            heard.append(loop.time())

    loop.begin(life, work())
    loop.run_until(1.5)
    loop.pause(life)
    loop.run_until(10)
    assert heard == [1.0]
    loop.wake(life)
    loop.run_until(20)
    assert heard == [1.0, 10.0, 11.0]


def test_what_fails_unseen_is_kept() -> None:
    loop = SimLoop(1)

    async def fail() -> None:
        raise ValueError("as expected")

    def fail_too() -> None:
        raise KeyError("as expected")

    loop.call_soon(fail_too)
    loop.create_task(fail())
    loop.run_until(1)
    loop.close()
    assert [type(error) for error in loop.failures] == [KeyError, ValueError]


def test_what_never_ends_is_told(loop: SimLoop) -> None:
    async def wait() -> None:
        await loop.create_future()

    with pytest.raises(Stuck):
        loop.run_until_complete(wait())
