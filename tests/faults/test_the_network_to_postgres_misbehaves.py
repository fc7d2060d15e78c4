"""Slow, trickling, cut, reset, half-open, or losing the reply to COMMIT: one incident each, told once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.faults.conftest import MakeNode
from tests.faults.network import Link, Network, Way
from tests.faults.node import Node
from tests.faults.wave import Wave, medics_for

pytestmark = pytest.mark.timeout(120)

SLOW = {"slow_s": 0.03}
TRICKLING = {"trickle_bytes": 1}
SAID_S_MAX = 25.0
"""Within which the control room is told that it is not known: an append's patience, and some."""


@pytest.fixture
async def network(database_url: str) -> AsyncIterator[Network]:
    """Before the database."""
    url = urlsplit(database_url)
    query = parse_qs(url.query)
    behind = Path(query["host"][0]) / f".s.PGSQL.{query['port'][0]}" if "host" in query else url.port or 5432
    async with Network(behind) as between:
        yield between


@pytest.fixture
def node(make_node: MakeNode, database_url: str, network: Network) -> Node:
    """A node whose way to the database leads over the network."""
    url = urlsplit(database_url)
    user = url.netloc.rpartition("@")[0]
    dsn = f"postgresql://{user}@{network.host}:{network.port}{url.path}?sslmode=disable"
    return make_node(DISPATCH_DATABASE_URL=dsn)


@pytest.mark.parametrize("way", [SLOW, TRICKLING], ids=["slow", "trickling"])
async def test_it_takes_longer_and_nothing_else(
    way: dict[str, float], node: Node, network: Network, pool: asyncpg.Pool
) -> None:
    people = await medics_for(pool, 2)
    network.to_server, network.to_client = Way(**way), Way(**way)  # type: ignore[arg-type]
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report_all()
        await wave.every_phone_rang()
        await wave.check()
    assert network.count("slow") + network.count("trickled") or "trickle_bytes" in way


@pytest.mark.parametrize("how", ["cut", "reset"])
@pytest.mark.parametrize("way", ["to_server", "to_client"], ids=["the request", "the reply"])
async def test_the_append_is_broken_off(
    how: str, way: str, node: Node, network: Network, pool: asyncpg.Pool
) -> None:
    """A reply that is lost after the commit, above all: it is read back, not written again."""
    people = await medics_for(pool, 2)
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report(0)
        broken = _break_off_the_append(network, b"R-1", way, how)
        await wave.report(1)
        assert broken
        await wave.every_phone_rang()
        await wave.check()


def _break_off_the_append(network: Network, mark: bytes, way: str, how: str) -> list[Link]:
    """Of the link that carries ``mark`` to the server, once: that request, or the reply to it."""
    asked: list[Link] = []
    broken: list[Link] = []

    def on_data(link: Link, name: str, data: bytes) -> None:
        if name == "to_server" and mark in data:
            asked.append(link)
        if link in asked and name == way and not broken:
            broken.append(link)
            setattr(link.to_server if way == "to_server" else link.to_client, f"{how}_after", 0)

    network.on_data = on_data
    return broken


async def test_every_connection_is_half_open_and_new_ones_are_never_answered(
    node: Node, network: Network, pool: asyncpg.Pool
) -> None:
    people = await medics_for(pool, 2)
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report(0)
        for link in network.open():
            link.vanish()
        network.silent = True
        began = asyncio.get_running_loop().time()
        status, answer = await wave.post_once(1, seconds=SAID_S_MAX)
        assert (status, answer["code"]) == (503, "unavailable")
        assert asyncio.get_running_loop().time() - began < SAID_S_MAX
        assert (await node.call("GET", "/healthz"))[0] == 200
        assert (await node.call("GET", "/readyz"))[0] == 503
        network.heal()
        await wave.report(1)
        await wave.every_phone_rang()
        await node.until_ready(40)
        await wave.check()
