"""Virtual medics on real sockets: hello, acknowledgements, and what they do when a socket closes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSCloseCode, web

from simulations.behaviour import Behaviour, Habits
from simulations.demo import virtual_medics
from simulations.demo.virtual_medic import Heard
from simulations.demo.virtual_medics import Registered, TokenRefused, VirtualMedics
from simulations.population import Resident, spread

ALERT = {
    "type": "alert",
    "id": "n1",
    "alert_id": "a1",
    "incident": {"id": "i1", "kind": "trauma", "position": {"lat": 53.3, "lon": -6.2}},
    "role": "direct",
    "instruction": "go",
    "distance_m": 100,
    "eta_s": 60,
}


class OneSocket:
    """The medic's side of the contract for a few devices: it keeps what they send and decides nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[tuple[str, str]] = []
        self.hellos = 0
        self.missed: list[dict[str, Any]] = []
        self.refused = False
        self.changed = asyncio.Event()

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        token = ""
        async for message in socket:
            frame = json.loads(message.data)
            if frame["type"] == "hello":
                self.hellos += 1
                self.changed.set()
                if self.refused:
                    await socket.close(code=4401)
                    break
                token = frame["token"]
                self.sockets[token] = socket
                await socket.send_json({"type": "welcome", "medic_id": "m"})
            elif frame["type"] != "position":
                self.got.append((token, frame))
            self.changed.set()
        return socket

    async def alerts(self, request: web.Request) -> web.Response:
        self.requests.append(("GET", request.path))
        self.changed.set()
        return web.json_response({"items": self.missed})

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(("POST", request.path))
        self.changed.set()
        return web.json_response({"alert_id": "a1", "state": "seen"})

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


class NoPhones:
    def on_text(self, number: str, hear: Callable[[str], None]) -> None:
        pass

    async def reply(self, number: str, text: str) -> None:
        raise AssertionError("nobody texts here")


@asynccontextmanager
async def serving() -> AsyncIterator[OneSocket]:
    server = OneSocket()
    application = web.Application()
    application.router.add_get("/v1/me/socket", server.socket)
    application.router.add_get("/v1/me/alerts", server.alerts)
    application.router.add_post("/v1/me/alerts/{id}/{word}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def medics(
    server: OneSocket, count: int, habits: Habits
) -> AsyncIterator[tuple[VirtualMedics, list[Heard]]]:
    heard: list[Heard] = []
    residents: list[Resident] = spread([(53.3, -6.2)], count, 1, app_share=1.0)
    registered = [Registered(one, f"m{i}", f"t{i}") for i, one in enumerate(residents)]
    group = VirtualMedics(server.url, registered, Behaviour(1, 1_000.0, habits), NoPhones(), heard.append)
    try:
        await group.start()
        yield group, heard
    finally:
        await group.stop()


DECLINES = Habits(seen=1.0, accepts_if_seen=0.0, declines_if_not_accepting=1.0)


async def test_all_say_hello_and_one_acknowledges_and_answers():
    async with serving() as server, medics(server, 30, DECLINES) as (group, heard):
        assert group.connected == 30
        await server.sockets["t7"].send_json(ALERT)
        await server.until(lambda: len(server.got) == 3)
        assert server.got == [
            ("t7", {"type": "ack", "id": "n1"}),
            ("t7", {"type": "seen", "alert_id": "a1"}),
            ("t7", {"type": "decline", "alert_id": "a1"}),
        ]
        assert [(one.medic_id, one.channel, one.purpose) for one in heard] == [("m7", "websocket", "alert")]


async def test_after_a_restart_she_comes_back_and_reads_what_she_missed(monkeypatch):
    monkeypatch.setattr(virtual_medics, "RECONNECT_S_MAX", 0.05)
    async with serving() as server, medics(server, 1, DECLINES) as (group, _):
        server.missed = [{**ALERT, "state": "delivered"}]
        await server.sockets["t0"].close(code=WSCloseCode.SERVICE_RESTART)
        await server.until(lambda: len(server.got) == 2)
        assert server.hellos == 2
        assert server.requests == [("GET", "/v1/me/alerts")]
        assert [frame["type"] for _, frame in server.got] == ["seen", "decline"]
        assert group.connected == 1


async def test_an_alert_repeated_after_a_reconnect_is_acknowledged_again_and_rings_once(monkeypatch):
    monkeypatch.setattr(virtual_medics, "RECONNECT_S_MAX", 0.05)
    async with serving() as server, medics(server, 1, DECLINES) as (_, heard):
        await server.sockets["t0"].send_json(ALERT)
        await server.until(lambda: len(server.got) == 3)
        await server.sockets["t0"].close(code=WSCloseCode.SERVICE_RESTART)
        await server.until(lambda: server.hellos == 2 and ("GET", "/v1/me/alerts") in server.requests)
        await server.sockets["t0"].send_json(ALERT)
        await server.until(lambda: len(server.got) == 4)
        assert server.got[-1][1] == {"type": "ack", "id": "n1"}
        assert len(heard) == 1


async def test_without_a_socket_her_answer_goes_over_http(monkeypatch):
    monkeypatch.setattr(virtual_medics, "RECONNECT_S_MAX", 60.0)
    slowly = Habits(seen=1.0, accepts_if_seen=0.0, declines_if_not_accepting=1.0, answer_s_median=200.0)
    async with serving() as server, medics(server, 1, slowly) as (_, _heard):
        await server.sockets["t0"].send_json(ALERT)
        await server.until(lambda: len(server.got) == 1)
        await server.sockets["t0"].close(code=WSCloseCode.SERVICE_RESTART)
        await server.until(lambda: len(server.requests) == 2)
        assert server.requests == [("POST", "/v1/me/alerts/a1/seen"), ("POST", "/v1/me/alerts/a1/decline")]


async def test_a_refused_token_is_said_at_once_and_not_tried_again(monkeypatch):
    monkeypatch.setattr(virtual_medics, "RECONNECT_S_MAX", 0.0)
    async with serving() as server:
        server.refused = True
        with pytest.raises(TokenRefused, match="Medic 0001"):
            async with medics(server, 1, DECLINES):
                pass
        assert server.hellos == 1
