"""The disk of the embedded Postgres is full: reports get 503 in time, and are taken once there is room."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from dispatch.embedded_postgres import postgres_at
from dispatch.store.database import connect_pool, upgrade
from tests.faults import server
from tests.faults.conftest import MakeNode
from tests.faults.node import Node
from tests.faults.people import a_key
from tests.faults.wave import Wave, medics_for

pytestmark = pytest.mark.timeout(150)

SIZE_MB = 150
SAID_S_MAX = 25.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of so many MB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs")
    mounted = subprocess.run(["mount", *options, place], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def test_reports_are_refused_while_the_disk_is_full_and_nothing_acknowledged_is_lost(
    small_disk: Path, make_node: MakeNode
) -> None:
    node = make_node(DISPATCH_DATABASE_URL="")
    node.data_dir = small_disk / "data"
    async with postgres_at(node.data_dir) as dsn:
        await upgrade(dsn)
        async with await connect_pool(dsn) as pool:
            node.key, people = await a_key(pool), await medics_for(pool, 2)
    await node.start()
    try:
        async with Wave(node, people) as wave:
            await wave.report(0)
            await wave.until_rung(0)
            filler = fill(small_disk)
            await write_until_it_stops(dsn)
            status, answer = await wave.post_once(1, seconds=SAID_S_MAX)
            assert (status, answer["code"]) == (503, "unavailable")
            assert (await node.call("GET", "/healthz"))[0] == 200
            async with asyncio.timeout(15):
                while "disk is full" not in await said_of_the_database(node):
                    await asyncio.sleep(0.1)
            filler.unlink()
            await wave.report(1)
            await wave.every_phone_rang()
            await node.until_ready(40)
            await wave.check()
    finally:
        await node.stop()
        await server.until_gone(node.data_dir)


async def said_of_the_database(node: Node) -> str:
    status, answer = await node.call("GET", "/readyz")
    assert status == 503
    return next(check["detail"] for check in answer["checks"] if check["name"] == "database")


def fill(folder: Path) -> Path:
    """To the last byte."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for piece in (2**20, 2**12):
            with suppress(OSError):
                while file.write(bytes(piece)) == piece:
                    pass
    return path


async def write_until_it_stops(dsn: str) -> None:
    """A megabyte of write-ahead log at a time: what there was room for is used up, then the server ends."""
    connection = await asyncpg.connect(dsn)
    try:
        for _ in range(SIZE_MB):
            await connection.execute("select pg_logical_emit_message(false, 'test', repeat('x', 1000000))")
    except (asyncpg.PostgresError, OSError):
        return
    finally:
        connection.terminate()
    raise AssertionError("there was room for all of it")
