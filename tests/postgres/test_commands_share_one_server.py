"""The first that needs the server of a data dir starts it, others use it, the last stops it."""

import asyncio
import os
import signal

import asyncpg
import pytest

from dispatch.embedded_postgres import EmbeddedPostgres, PostgresUnavailable, postgres_at

USE_IT = """
import asyncio, pathlib, sys
import asyncpg
from dispatch.embedded_postgres import postgres_at

async def main():
    async with postgres_at(pathlib.Path(sys.argv[1])) as dsn:
        connection = await asyncpg.connect(dsn)
        print(await connection.fetchval("select pg_postmaster_start_time()::text"), flush=True)
        await connection.close()
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


async def test_clean_exit_stops_every_process(data_dir, server_processes):
    async with EmbeddedPostgres(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        assert len(server_processes()) > 1
    assert server_processes() == []
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("select 1")


async def test_a_command_without_a_service_runs_its_own_and_stops_it(data_dir, server_processes):
    async with postgres_at(data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select current_database()") == "dispatch"
        await connection.close()
    assert server_processes() == []


async def test_a_command_works_while_the_service_runs_and_leaves_its_server_alone(data_dir, another_process):
    async with EmbeddedPostgres(data_dir) as server:
        pid = server.pid
        command = another_process(USE_IT, data_dir)
        out, errors = await asyncio.to_thread(command.communicate, "\n", timeout=30)
        assert (command.returncode, errors) == (0, "")
        assert out.strip() == await started_at(server.dsn)
        assert server.pid == pid


async def test_a_command_that_outlives_the_service_keeps_the_server_until_it_is_done(
    data_dir, server_processes, another_process
):
    async with EmbeddedPostgres(data_dir):
        command = another_process(USE_IT, data_dir)
        assert await asyncio.to_thread(command.stdout.readline)
    assert server_processes() != []
    await asyncio.to_thread(command.communicate, "\n", timeout=30)
    assert command.returncode == 0
    assert server_processes() == []


async def test_commands_that_start_at_once_agree_on_one_server(data_dir, server_processes, another_process):
    commands = [another_process(USE_IT, data_dir) for _ in range(4)]
    told = [await asyncio.to_thread(command.stdout.readline) for command in commands]
    assert len(set(told)) == 1, "one server start"
    for command in commands:
        _, errors = await asyncio.to_thread(command.communicate, "\n", timeout=30)
        assert (command.returncode, errors) == (0, "")
    assert server_processes() == []


async def test_a_second_service_gets_one_line(data_dir):
    async with EmbeddedPostgres(data_dir):
        with pytest.raises(PostgresUnavailable, match="already served by process") as refused:
            await EmbeddedPostgres(data_dir).start()
        assert "\n" not in str(refused.value)
        assert "--data-dir" in refused.value.hint


async def test_ctrl_c_reaches_the_command_and_not_the_server(data_dir, server_processes, another_process):
    command = another_process(
        USE_IT.replace("asyncio.to_thread(sys.stdin.readline)", "asyncio.sleep(60)"), data_dir
    )
    assert await asyncio.to_thread(command.stdout.readline)
    # A terminal's Ctrl-C goes to the whole process group of the command.
    assert os.getpgid(command.pid) not in {os.getpgid(process.pid) for process in server_processes()}
    command.send_signal(signal.SIGINT)
    await asyncio.to_thread(command.wait, 30)
    assert server_processes() == []


async def started_at(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval("select pg_postmaster_start_time()::text")
    finally:
        await connection.close()
