"""The network to a thousand devices fails while an alert goes to all of them, and is back at one moment: all
connect at once, each gets what it lacks, and rings once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.faults.network import Network
from tests.faults.outside.served import Served, got, report_at, served, until
from tests.faults.phone import Phone, switched_on

pytestmark = pytest.mark.timeout(180)

DEVICES = 1000


@pytest.fixture
async def world(database_url: str, pool: asyncpg.Pool, tmp_path: Path) -> AsyncIterator[Served]:
    """Pings as far apart as in earnest: the machine that runs a thousand devices is busy."""
    async with served(database_url, pool, tmp_path, ping_s=20) as made:
        yield made


async def test_all_that_they_lack_comes_again_and_each_rings_once(world: Served) -> None:
    room, place = await world.room(), world.place()
    asked = await world.medics_at(place, DEVICES)
    tokens = [await world.token(medic.id) for medic in asked]
    async with Network(world.service.port) as network:
        phones = [Phone(token, network.url) for token in tokens]
        async with switched_on(*phones):
            await until(lambda: all_connected(world, phones), 60)
            links = network.open()
            for link in links[::2]:
                link.to_client.vanishes = True
            for link in links[1::2]:
                link.to_server.vanishes = True
            opened = await room.post("/v1/incidents", json=report_at(place, kind="trauma"), timeout=30)
            incident = opened.json()["id"]
            assert opened.json()["alerting"]["asked"] == DEVICES
            await network.happened("vanished", DEVICES)
            heard = sum(bool(phone.rung) for phone in phones)
            assert heard == DEVICES // 2
            before = (await got(room, f"/v1/incidents/{incident}"))["alerting"]["delivered"]
            assert before == 0, "nobody's acknowledgement came through"

            await network.refuse()
            for link in links:
                link.reset()
            assert network.count("reset") == DEVICES
            await asyncio.sleep(0.5)
            await network.listen()

            async def all_delivered() -> bool:
                shown = await got(room, f"/v1/incidents/{incident}")
                return bool(shown["alerting"]["delivered"] == DEVICES)

            await until(all_delivered, 60)
        alerts = (await got(room, f"/v1/incidents/{incident}"))["alerts"]
    by_medic = {alert["medic_id"]: alert["id"] for alert in alerts}
    assert [list(phone.rung) for phone in phones] == [[by_medic[medic.id]] for medic in asked]
    frames = [[frame["id"] for frame in phone.heard if frame["type"] == "alert"] for phone in phones]
    assert all(len(set(ids)) == 1 for ids in frames), "the same message, however often it comes"
    assert sum(len(ids) > 1 for ids in frames) >= DEVICES // 2


async def all_connected(world: Served, phones: list[Phone]) -> bool:
    return all(phone.connected for phone in phones) and await world.sockets() == len(phones)
