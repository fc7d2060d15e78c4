"""A device that does not keep up loses its socket (1013), and its alerts go on down the ladder."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from dispatch.listening import listening_socket
from simulations.twilio_double import TwilioDouble
from tests.api import world as worlds
from tests.api.world import World, a_report

POLICY = '[trauma]\nladder = [{ channel = "websocket", after_s = 0 }, { channel = "sms", after_s = 90 }]\n'
"""SMS comes long after this test, or at once where the socket has failed."""


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system takes a few KB for a device that does not read, and the service eight frames."""

    def listening(host: str, port: int) -> socket.socket:
        bound = listening_socket(host, port)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return bound

    monkeypatch.setattr(worlds, "listening_socket", listening)
    monkeypatch.setattr("dispatch.api.connection.FRAMES_WAITING_MAX", 8)


async def silent_socket(world: World, medic_id: str) -> Any:
    """She is on her socket, and her device reads nothing any more."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = world.url.removeprefix("http://").split(":")
    raw.connect((host, int(port)))
    device = await connect(f"ws://{host}:{port}/v1/me/socket", sock=raw, compression=None, ping_interval=None)
    await device.send(json.dumps({"type": "hello", "token": await world.token(medic_id)}))
    await device.recv()
    device.transport.pause_reading()
    return device


async def test_its_next_alert_goes_by_sms_at_once(
    make_world: Any, tmp_path: Path, small_buffers: None
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    async with TwilioDouble(live=True) as twilio, make_world(twilio=twilio, policy_file=policy) as world:
        medic_id = await world.medic()
        phone = twilio.phone(await world.phone(medic_id))
        device = await silent_socket(world, medic_id)
        room, figures = await world.room(), await world.client()
        first = (await room.post("/v1/incidents", json=a_report("R-1"))).json()["id"]
        for i in range(400):  # each is an update for her device
            directions = f"{i} " + "by the door at the back " * 15
            await room.patch(f"/v1/incidents/{first}", json={"directions": directions})
            if "dispatch_sockets 0.0" in (await figures.get("/metrics")).text:
                break
        else:
            pytest.fail("never dropped")
        assert len(phone.inbox) == 0
        await room.post(f"/v1/incidents/{first}/cancel")
        await room.post("/v1/incidents", json=a_report("R-2"))
        async with asyncio.timeout(10):
            while len(phone.inbox) != 1:
                await asyncio.sleep(0.02)
        device.transport.abort()
