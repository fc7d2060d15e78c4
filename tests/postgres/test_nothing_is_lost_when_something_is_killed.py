"""kill -9 of the service, of the server, of both: what was committed stays, a clean exit still stops all."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable

import asyncpg
import psutil
import pytest

from dispatch.embedded_postgres import EmbeddedPostgres
from dispatch.store.database import connect_pool

SERVICE = """
import asyncio, pathlib, sys
import asyncpg
from dispatch.embedded_postgres import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(pathlib.Path(sys.argv[1])) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table kept (n int)")
        await connection.execute("insert into kept values (1)")
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def killed_service(data_dir, another_process) -> Callable[[], int]:
    """Runs a service until it has committed a row, kills it, and tells which postmaster it left behind."""

    def run_and_kill() -> int:
        service = another_process(SERVICE, data_dir)
        pid = int(service.stdout.readline())
        service.kill()
        service.wait(10)
        return pid

    return run_and_kill


async def test_a_server_left_by_a_killed_service_is_taken_up_again(
    data_dir, server_processes, killed_service
):
    left = await asyncio.to_thread(killed_service)
    assert psutil.pid_exists(left)
    async with EmbeddedPostgres(data_dir) as server:
        assert server.pid == left
        assert await rows(server) == [1]
    assert server_processes() == []


async def test_after_both_were_killed_the_server_recovers(data_dir, server_processes, killed_service):
    left = await asyncio.to_thread(killed_service)
    for process in server_processes():
        process.kill()
    async with EmbeddedPostgres(data_dir) as server:
        assert server.pid != left
        assert await rows(server) == [1]
    assert server_processes() == []


async def test_a_postmaster_killed_alone_recovers_once_its_backends_are_gone(
    data_dir, server_processes, killed_service
):
    left = await asyncio.to_thread(killed_service)
    os.kill(left, signal.SIGKILL)
    async with EmbeddedPostgres(data_dir) as server:
        assert await rows(server) == [1]
    assert server_processes() == []


async def test_a_process_that_has_the_dead_servers_number_is_left_in_peace(
    data_dir, server_processes, killed_service
):
    await asyncio.to_thread(killed_service)
    for process in server_processes():
        process.kill()
    pid_file = data_dir / "postgres" / "postmaster.pid"
    owner = pid_file.stat()
    stranger = sleeping_process_of(owner.st_uid)
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        async with EmbeddedPostgres(data_dir) as server:
            assert await rows(server) == [1]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(10)


async def test_a_server_that_dies_is_started_again_under_a_pool_that_goes_on(data_dir, server_processes):
    told: list[str] = []
    async with EmbeddedPostgres(data_dir, on_death=told.append) as server:
        pool = await connect_pool(server.dsn)
        await pool.execute("create table kept (n int)")
        await pool.execute("insert into kept values (1)")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not told or server.trouble:
                await asyncio.sleep(0.01)
        assert server.pid != first
        assert await retried(pool, "select n from kept") == 1
        await pool.close()
    assert told == [f"Postgres (process {first}) ended unexpectedly"]
    assert server_processes() == []


async def test_a_server_whose_worker_crashes_recovers_by_itself(data_dir, server_processes):
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        backend = await connection.fetchval("select pg_backend_pid()")
        os.kill(backend, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("select pg_sleep(10)")
        assert await retried_select(server.dsn) == 1
        assert server.trouble is None


async def test_a_making_that_was_cut_off_is_done_anew(data_dir):
    half_made = data_dir / "postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(data_dir) as server:
        assert server.pid
    assert not half_made.exists()


async def test_a_cancelled_start_leaves_nothing_running(data_dir, server_processes):
    for after_s in (0.0, 0.3, 0.01, 0.03, 0.06, 0.09):  # before, while and after the database is made
        server = EmbeddedPostgres(data_dir)
        start = asyncio.create_task(server.start())
        await asyncio.sleep(after_s)
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        await server.stop()
        assert server_processes() == []
    async with EmbeddedPostgres(data_dir) as server:
        assert server.pid


def sleeping_process_of(uid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], user=uid if os.geteuid() == 0 else None)


async def rows(server: EmbeddedPostgres) -> list[int]:
    connection = await asyncpg.connect(server.dsn)
    try:
        return [row["n"] for row in await connection.fetch("select n from kept")]
    finally:
        await connection.close()


async def retried(pool: asyncpg.Pool, query: str) -> object:
    """The pool finds out about each of its broken connections when it uses it."""
    for _ in range(pool.get_max_size()):
        try:
            return await pool.fetchval(query)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            continue
    raise AssertionError("every connection of the pool is broken")


async def retried_select(dsn: str) -> int:
    """One, once the server lets us in for long enough: it ends all connections on finding a crash."""
    async with asyncio.timeout(30):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
                one = await connection.fetchval("select 1")
                await connection.close()
                return one
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(0.02)
