"""The whole service for a test; see `world.py`."""

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from dispatch import logs
from dispatch.service import following, node
from simulations.twilio_double import TwilioDouble
from tests.api.world import World, a_world

MakeWorld = Callable[..., Any]


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What the service logs in this test, as JSON lines."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    lines = io.StringIO()
    logs.set_up(lines)
    yield lines
    root.handlers, root.level = handlers, level


@pytest.fixture
def make_world(
    database_url: str, tmp_path: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> MakeWorld:
    """A context manager that serves with these settings, on this test's database."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(node, "RECONNECT_GRACE_MS", 0)
    return lambda **settings: a_world(database_url, tmp_path, pool, **settings)


@pytest.fixture
async def world(make_world: MakeWorld) -> AsyncIterator[World]:
    """The service with SMS off."""
    async with make_world() as made:
        yield made


@pytest.fixture
async def world_with_sms(make_world: MakeWorld) -> AsyncIterator[World]:
    """The service with the double as its Twilio."""
    async with TwilioDouble(live=True) as twilio, make_world(twilio=twilio) as made:
        yield made


@pytest.fixture
async def room(world: World) -> httpx.AsyncClient:
    """A control room's client with a key for everything."""
    return await world.room()
