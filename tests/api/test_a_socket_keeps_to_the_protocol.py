"""The device's socket: hello, what is told again until acknowledged, answers, refusals, close codes."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from dispatch.api import socket as socket_module
from dispatch.auth import new_key, new_token
from dispatch.times import rfc3339
from tests.api.world import DOM, Device, World, a_report, everything


async def report(room: httpx.AsyncClient, reference: str = "R-1", **changes: Any) -> dict[str, Any]:
    answer = await room.post("/v1/incidents", json=a_report(reference, **changes))
    assert answer.status_code == 201
    incident: dict[str, Any] = answer.json()
    return incident


# --- hello


async def test_hello_is_answered_with_welcome(world: World) -> None:
    medic_id = await world.medic()
    device = Device(await world.socket(await world.token(medic_id)), medic_id)
    welcome = await device.next()
    assert set(welcome) == {"type", "medic_id", "server_time"}
    assert (welcome["type"], welcome["medic_id"]) == ("welcome", medic_id)
    assert welcome["server_time"].endswith("Z")


async def test_who_never_says_hello_is_closed_with_4408(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "HELLO_S_MAX", 0.05)
    assert await Device(await world.socket(), "").closed() == 4408


async def test_a_token_that_is_not_known_is_closed_with_4401(world: World) -> None:
    for secret in ("", "dt_wrong", new_token(), new_key(), await world.key()):
        assert await Device(await world.socket(secret), "").closed() == 4401


@pytest.mark.parametrize("first", ["ack", "position", "accept", "goodbye"])
async def test_another_first_frame_is_closed_with_4400(world: World, first: str) -> None:
    device = Device(await world.socket(), "")
    await device.say(type=first, id="x")
    assert await device.closed() == 4400


async def test_signing_out_closes_all_her_sockets_with_4401(world: World) -> None:
    one = await world.medic_on_socket()
    other = await world.device(one.medic_id)
    token = await world.token(one.medic_id)
    me = await world.client(token)
    assert (await me.delete("/v1/me/tokens")).status_code == 204
    assert [await one.closed(), await other.closed()] == [4401, 4401]
    assert await Device(await world.socket(token), "").closed() == 4401
    assert (await me.get("/v1/me")).status_code == 401


async def test_a_restart_closes_with_1012(world: World) -> None:
    device = await world.medic_on_socket()
    world.server.stop()
    assert await device.closed() == 1012


async def test_a_node_without_room_closes_with_1013(make_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.app.sockets_max", lambda: 1)
    async with make_world() as world:
        first = await world.medic_on_socket()
        token = await world.token(await world.medic())
        assert await Device(await world.socket(), "").closed() == 1013
        await first.socket.close()
        await Device(await world.socket(token), "").next("welcome")


async def test_another_path_has_no_socket(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(world.url.replace("http", "ws") + "/v1/other")
    assert refused.value.response.status_code == 404
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "anybody may ask"


# --- frames

BAD_FRAMES = {
    "no JSON": "hello",
    "a list": "[]",
    "no type": "{}",
    "unknown type": '{"type": "dance"}',
    "a type that is the server's": '{"type": "alert", "alert_id": "x"}',
    "hello again": '{"type": "hello", "token": "dt_x"}',
    "extra field": '{"type": "ack", "id": "x", "colour": "red"}',
    "missing field": '{"type": "ack"}',
    "number as id": '{"type": "ack", "id": 3}',
    "no id": '{"type": "accept", "alert_id": "x y"}',
    "id too long": json.dumps({"type": "accept", "alert_id": "x" * 41}),
    "NaN": '{"type": "position", "lat": NaN, "lon": 5, "at": "2026-11-24T12:00:00Z"}',
    "latitude out of range": '{"type": "position", "lat": 91, "lon": 5, "at": "2026-11-24T12:00:00Z"}',
    "boolean as latitude": '{"type": "position", "lat": true, "lon": 5, "at": "2026-11-24T12:00:00Z"}',
    "deep": "[" * 8000,
    "empty": "",
}


async def test_a_bad_frame_is_closed_with_4400_and_changes_nothing(world: World) -> None:
    medic_id = await world.medic()
    token = await world.token(medic_id)
    before = await everything(world.pool)
    for name, text in BAD_FRAMES.items():
        device = Device(await world.socket(token), medic_id)
        await device.next("welcome")
        await device.socket.send(text)
        assert await device.closed() == 4400, name
    assert await everything(world.pool) == before


async def test_a_binary_frame_is_closed_with_4400(world: World) -> None:
    device = await world.medic_on_socket()
    await device.socket.send(b'{"type": "ack", "id": "x"}')
    assert await device.closed() == 4400


async def test_a_frame_over_16_kib_is_closed_with_1009(world: World) -> None:
    device = await world.medic_on_socket()
    await device.say(type="ack", id="x" * 16 * 1024)
    assert await device.closed() == 1009


async def test_a_position_in_the_future_is_refused_and_the_socket_stays(world: World) -> None:
    device = await world.medic_on_socket()
    await device.say(type="position", **DOM, at="2099-01-01T00:00:00Z")
    assert await device.next() == {"type": "error", "code": "invalid", "title": "at lies in the future"}
    await device.say(type="ack", id="unknown-1-1")
    answer = await device.answer("accept", "nothere-1")
    assert (answer["type"], answer["code"], answer["alert_id"]) == ("error", "not_found", "nothere-1")


# --- alerts


async def test_an_ack_of_an_alert_is_its_delivery(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket()
    incident = await report(room)
    await device.alert()
    path = f"/v1/incidents/{incident['id']}"
    async with asyncio.timeout(5):
        while (await room.get(path)).json()["alerts"][0]["state"] != "delivered":
            await asyncio.sleep(0.01)
    alert = (await room.get(path)).json()["alerts"][0]
    assert alert["channel"] == "websocket"
    assert alert["delivered_at"] is not None


async def test_an_alert_comes_again_with_the_same_ids_until_it_is_acknowledged(
    world: World, room: httpx.AsyncClient
) -> None:
    device = await world.medic_on_socket()
    await report(room)
    first = await device.next("alert")
    await device.socket.close()
    back = await world.device(device.medic_id)
    assert await back.next("alert") == first
    await back.say(type="ack", id=first["id"])
    assert (await back.answer("accept", "nothere-1"))["type"] == "error", "so the ack was taken"
    other = await world.device(device.medic_id)
    answered = await back.answer("accept", first["alert_id"])
    assert answered["type"] == "answered"
    assert (await other.next())["type"] == "answered", "nothing but the answer came to the third socket"


async def test_all_her_sockets_get_everything_and_any_ack_counts(
    world: World, room: httpx.AsyncClient
) -> None:
    one = await world.medic_on_socket()
    other = await world.device(one.medic_id)
    incident = await report(room)
    first, second = await one.next("alert"), await other.next("alert")
    assert first == second
    await other.say(type="ack", id=first["id"])
    answer = await other.answer("accept", first["alert_id"])
    assert answer == {"type": "answered", "alert_id": first["alert_id"], "state": "accepted"}
    assert await one.next() == answer
    await room.post(f"/v1/incidents/{incident['id']}/cancel")
    assert (await one.next())["reason"] == (await other.next())["reason"] == "cancelled"


async def test_an_answer_that_names_an_older_alert_is_told_of_both(
    world: World, room: httpx.AsyncClient
) -> None:
    """A device that took the older one for accepted would never be told to stop: its stand-down has been."""
    device = await world.medic_on_socket()
    path = f"/v1/incidents/{(await report(room))['id']}"
    older = (await device.alert())["alert_id"]
    await room.patch(path, json={"hazard": "hold"})
    await device.next("stand_down")
    await room.patch(path, json={"hazard": "none"})
    newest = (await device.alert())["alert_id"]
    assert newest != older
    told = [
        {"type": "answered", "alert_id": newest, "state": "accepted"},
        {"type": "answered", "alert_id": older, "state": "stood_down"},
    ]
    assert [await device.answer("accept", older), await device.next()] == told
    http = await world.client(await world.token(device.medic_id))
    answer = await http.post(f"/v1/me/alerts/{older}/accept")
    assert answer.json() == {"alert_id": newest, "state": "accepted"}
    assert [await device.next(), await device.next()] == told


async def test_an_answer_is_told_once_it_is_durable(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket()
    incident = await report(room)
    alert = await device.alert()
    await device.answer("accept", alert["alert_id"])
    written = await world.pool.fetch("select type from event where incident_id = $1", incident["id"])
    assert "AlertAnswered" in [row["type"] for row in written]


async def test_each_refusal_is_an_error_with_the_contracts_word(
    world: World, room: httpx.AsyncClient
) -> None:
    device = await world.medic_on_socket()
    incident = await report(room)
    alert_id = (await device.alert())["alert_id"]
    refused = await device.answer("finished", alert_id)
    assert (refused["code"], refused["alert_id"]) == ("not_engaged", alert_id)
    await room.patch(f"/v1/incidents/{incident['id']}", json={"hazard": "hold"})
    await device.next("stand_down")
    assert (await device.answer("accept", alert_id))["code"] == "held"
    await room.post(f"/v1/incidents/{incident['id']}/close")
    assert (await device.answer("accept", alert_id))["code"] == "ended"


async def test_anothers_alert_is_not_found(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket(100)
    stranger = await world.medic_on_socket(90_000)
    incident = await report(room)
    alert_id = (await device.alert())["alert_id"]
    for word in ("seen", "accept", "decline", "arrived", "finished", "unsafe"):
        answer = await stranger.answer(word, alert_id)
        assert (answer["type"], answer["code"]) == ("error", "not_found"), word
    assert (await room.get(f"/v1/incidents/{incident['id']}")).json()["state"] == "open"


async def test_a_medic_who_opens_it_has_seen_it(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket()
    incident = await report(room)
    alert_id = (await device.alert())["alert_id"]
    await device.say(type="seen", alert_id=alert_id)
    path = f"/v1/incidents/{incident['id']}"
    async with asyncio.timeout(5):
        while (await room.get(path)).json()["alerts"][0]["state"] != "seen":
            await asyncio.sleep(0.01)


async def test_a_position_decides_who_is_nearest(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket(90_000)
    await device.say(type="position", **DOM, accuracy_m=10, at=rfc3339(int(time.time() * 1000)))
    assert (await device.answer("accept", "nothere-1"))["type"] == "error", "so the position was taken"
    incident = await report(room)
    assert (await device.alert())["distance_m"] == 0
    assert incident["alerts"][0]["medic_id"] == device.medic_id


async def test_an_alert_reaches_a_device_that_comes_back_after_a_restart(
    make_world: Any,
) -> None:
    async with make_world() as world:
        room = await world.room()
        device = await world.medic_on_socket()
        await report(room)
        frame = await device.next("alert")
        medic_id = device.medic_id
    async with make_world() as world:
        back = await world.device(medic_id)
        assert (await back.next("alert"))["alert_id"] == frame["alert_id"]
