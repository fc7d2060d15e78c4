"""A decision is committed, its reply never comes, the node lives on: what it owes is still its to send.

Its rows are its own, so that no other node takes them over. It comes to light as others' decisions do: by
being read, perhaps after something that was read before it was committed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from texting import Texting
from town import Town, a_policy, some_medics, soon

from dispatch.core import commands as c
from dispatch.records import Record
from dispatch.store import incidents
from dispatch.store.appends import Append, Unavailable

TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)])}
PHONE = some_medics(1)[0].phone


@pytest.fixture
async def town(start_town: Callable[..., Awaitable[Town]], texting: Texting) -> Town:
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    return town


def never_heard_of(town: Town, monkeypatch: pytest.MonkeyPatch, *also: Callable[[], Awaitable[Any]]) -> None:
    """The next append is committed, and fails; ``also`` is done right before it is."""
    real = town.appender.append

    async def append(work: Append, **about: Any) -> dict[str, int]:
        monkeypatch.setattr(town.appender, "append", real)
        for one in also:
            await one()
        await real(work, **about)
        raise Unavailable("never heard of")

    monkeypatch.setattr(town.appender, "append", append)


async def texts(texting: Texting) -> list[str]:
    await texting.twilio.settle()
    return texting.texts_to(PHONE)


async def test_of_an_incident_that_is_read_before_anybody_looks_for_it(
    town: Town, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_heard_of(town, monkeypatch)
    with pytest.raises(Unavailable):
        await town.report()
    for record in await incidents.load_many(town.pool, await incidents.owed(town.pool)):
        town.dispatcher.decisions.follow([record])
    await soon(lambda: _any(texts(texting)))
    assert len(await texts(texting)) == 1


async def test_though_something_read_before_it_is_heard_of_first(
    town: Town, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await town.report()
    await soon(lambda: _any(texts(texting)))
    await town.quiet()
    before: list[Record] = []

    async def read() -> None:
        before.extend(await incidents.load_many(town.pool, [record.id]))

    never_heard_of(town, monkeypatch, read)
    with pytest.raises(Unavailable):
        await town.dispatcher.command(record.id, "key-1", c.Cancel)
    town.dispatcher.decisions.follow(before)
    town.dispatcher.decisions.follow(await incidents.load_many(town.pool, [record.id]))
    await soon(lambda: _two(texts(texting)))
    assert "no longer needed" in (await texts(texting))[1]


async def _any(given: Awaitable[list[str]]) -> bool:
    return bool(await given)


async def _two(given: Awaitable[list[str]]) -> bool:
    return len(await given) == 2
