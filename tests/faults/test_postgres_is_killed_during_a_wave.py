"""`kill -9` of all of Postgres while incidents come in: those acknowledged live, the others are told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispatch.embedded_postgres import postgres_at
from dispatch.store.database import connect_pool, upgrade
from tests.faults import server
from tests.faults.conftest import MakeNode
from tests.faults.people import a_key
from tests.faults.server import PostgresServer
from tests.faults.wave import Wave, medics_for, node_at, until

pytestmark = pytest.mark.timeout(120)

INCIDENTS = 8


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    own = PostgresServer(tmp_path / "server")
    await own.start()
    await upgrade(own.dsn)
    yield own
    await own.stop()
    await server.until_gone(own.folder)


async def test_the_service_starts_its_own_again_and_goes_on(make_node: MakeNode) -> None:
    node = make_node(DISPATCH_DATABASE_URL="")
    async with postgres_at(node.data_dir) as dsn:
        await upgrade(dsn)
        async with await connect_pool(dsn) as pool:
            node.key, people = await a_key(pool), await medics_for(pool, INCIDENTS)
    await node.start()
    try:
        async with Wave(node, people) as wave:
            reporting = asyncio.create_task(wave.report_all())
            await until("the first is acknowledged", lambda: wave.opened, node)
            assert server.kill_9(node.data_dir) > 3
            await reporting
            await wave.every_phone_rang()
            await node.until_ready(20)
            await wave.check()
    finally:
        await node.stop()
        await server.until_gone(node.data_dir)


async def test_one_that_runs_elsewhere_is_waited_for(postgres: PostgresServer, make_node: MakeNode) -> None:
    node, people = await node_at(postgres, make_node, INCIDENTS)
    await node.start()
    async with Wave(node, people) as wave:
        reporting = asyncio.create_task(wave.report_all())
        await until("the first is acknowledged", lambda: wave.opened, node)
        server.kill_9(postgres.folder)
        status, answer = await node.call("GET", "/readyz")
        assert status == 503
        assert [check["name"] for check in answer["checks"] if check["needed"] and not check["ok"]] == [
            "database"
        ]
        await asyncio.sleep(2)
        assert node.alive
        await postgres.start_again()
        await reporting
        await wave.every_phone_rang()
        await node.until_ready(20)
        await wave.check()


async def test_paused_it_is_waited_for_no_longer_than_is_said_and_nothing_is_lost(
    postgres: PostgresServer, make_node: MakeNode
) -> None:
    node, people = await node_at(postgres, make_node, 2)
    await node.start()
    async with Wave(node, people) as wave:
        await wave.report(0)
        server.pause(postgres.folder)
        try:
            began = asyncio.get_running_loop().time()
            status, answer = await wave.post_once(1, seconds=30)
            took_s = asyncio.get_running_loop().time() - began
            assert (status, answer["code"]) == (503, "unavailable")
            assert took_s < 25  # docs/reliability.md; 20 where a commit was under way as it was paused
            assert (await node.call("GET", "/healthz"))[0] == 200
            assert (await node.call("GET", "/readyz"))[0] == 503
            status, _ = await node.call("GET", f"/v1/incidents/{wave.opened[0]}", seconds=30)
            assert status in (200, 503)
        finally:
            server.resume(postgres.folder)
        await wave.report(1)
        await wave.every_phone_rang()
        await node.until_ready(20)
        await wave.check()
