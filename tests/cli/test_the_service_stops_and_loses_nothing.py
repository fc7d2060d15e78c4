"""``dispatch serve``: a clean stop, an embedded database that others use meanwhile, and ``kill -9``."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect

from tests.cli.conftest import Cli, Serving
from tests.http_client import http_client

REPORT = {"reference": "R", "kind": "other", "position": {"lat": 52.0907, "lon": 5.1214}}


def servers_on(data_dir: Path) -> list[int]:
    """The Postgres processes that work in this data dir."""
    found = []
    for process in psutil.process_iter():
        try:
            if "postgres" in process.name() and str(data_dir) in process.cwd():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def report(served: Serving, headers: dict[str, str]) -> httpx.Response:
    async with http_client() as client:
        return await client.post(f"{served.url}/v1/incidents", json=REPORT, headers=headers)


async def made_up(cli: Cli, data_dir: str, csv: str) -> tuple[str, str]:
    """A key, and the token of an available medic near ``REPORT``."""
    scopes = "incidents:write,incidents:read"
    made = await cli.ask("keys", "create", "--control-room", "U", "--scopes", scopes, "--data-dir", data_dir)
    imported = await cli.ask("medics", "import", csv, "--available", "--data-dir", data_dir)
    token = await cli.ask("medics", "token", imported.out.strip(), "--data-dir", data_dir)
    return made.out.strip(), token.out.split()[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_stop_lets_devices_go_with_1012_and_leaves_no_process(
    tmp_path: Path, medics_csv: Any, how: signal.Signals
) -> None:
    cli, data_dir = Cli(), tmp_path / "data"
    csv = medics_csv("name,phone,home_lat,home_lon", "A,+31611111111,52.091,5.1214")
    async with cli.serving("--data-dir", str(data_dir)) as served:
        _, token = await made_up(cli, str(data_dir), csv)
        assert servers_on(data_dir)
        async with connect(served.url.replace("http", "ws") + "/v1/me/socket") as socket:
            await socket.send(json.dumps({"type": "hello", "token": token}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            stopping = asyncio.create_task(served.stop(how))
            await asyncio.wait_for(socket.wait_closed(), 10)
            assert socket.close_code == 1012
        assert await stopping == 0
    assert servers_on(data_dir) == []


async def test_a_killed_service_delivers_after_its_restart_what_it_had_acknowledged(
    tmp_path: Path, medics_csv: Any
) -> None:
    cli, data_dir = Cli(), str(tmp_path / "data")
    csv = medics_csv("name,phone,home_lat,home_lon", "A,+31611111111,52.091,5.1214")
    async with cli.serving("--data-dir", data_dir) as served:
        key, token = await made_up(cli, data_dir, csv)
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
        async with connect(served.url.replace("http", "ws") + "/v1/me/socket") as socket:
            await socket.send(json.dumps({"type": "hello", "token": token}))
            await socket.recv()
            answer = await report(served, headers)
            served.process.kill()
            await served.process.wait()
        assert answer.status_code == 201
    async with cli.serving("--data-dir", data_dir) as served:
        async with connect(served.url.replace("http", "ws") + "/v1/me/socket") as socket:
            await socket.send(json.dumps({"type": "hello", "token": token}))
            frames = [json.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(2)]
        assert [frame["type"] for frame in frames] == ["welcome", "alert"]
        assert frames[1]["alert_id"] == answer.json()["alerts"][0]["id"]
        again = await report(served, headers)
        assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    assert servers_on(tmp_path) == []
