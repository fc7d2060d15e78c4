"""A service process, its provider and the networks to both; see `served.py` and `../network.py`."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from simulations.twilio_double import TwilioDouble
from tests.faults.network import Network
from tests.faults.outside.served import Served, served


@pytest.fixture
async def texting(
    database_url: str, pool: asyncpg.Pool, tmp_path: Path, twilio: TwilioDouble
) -> AsyncIterator[Served]:
    """A service that texts through the double."""
    async with served(database_url, pool, tmp_path, twilio) as world:
        yield world


@pytest.fixture
async def way_to_twilio(twilio: TwilioDouble) -> AsyncIterator[Network]:
    """The network between the service and its provider."""
    async with Network(int(twilio.url.rsplit(":", 1)[1])) as network:
        yield network


@pytest.fixture
async def texting_by_a_bad_way(
    database_url: str, pool: asyncpg.Pool, tmp_path: Path, twilio: TwilioDouble, way_to_twilio: Network
) -> AsyncIterator[Served]:
    """The same over that network."""
    async with served(database_url, pool, tmp_path, twilio, twilio_url=way_to_twilio.url) as world:
        yield world


@pytest.fixture
async def way_to_phones(texting: Served) -> AsyncIterator[Network]:
    """The network between medics' devices, or control rooms, and the service."""
    async with Network(texting.service.port) as network:
        yield network
