"""What a medic's device may ask of herself: read, change, sign out, delete; position and alerts over HTTP."""

import time
from typing import Any

import httpx
import pytest

from dispatch.store import medics
from dispatch.times import rfc3339
from tests.api.world import DOM, Device, World, a_report, everything

SETTINGS: dict[str, Any] = {
    "available": False,
    "drills": True,
    "mode": "car",
    "language": "en",
    "time_zone": "Europe/Amsterdam",
    "quiet_hours": [{"days": [1, 2], "from": "22:00", "to": "07:00"}],
    "places": [
        {
            "label": "work",
            "lat": 52.1,
            "lon": 5.2,
            "hours": [{"days": [1, 5], "from": "09:00", "to": "17:30"}],
        }
    ],
    "channels": ["websocket"],
}


@pytest.fixture
async def device(world: World) -> Device:
    return await world.medic_on_socket()


@pytest.fixture
async def me(world: World, device: Device) -> httpx.AsyncClient:
    """Her device over HTTP."""
    return await world.client(await world.token(device.medic_id))


def now() -> str:
    return rfc3339(int(time.time() * 1000))


async def test_every_setting_is_shown_as_it_was_given(me: httpx.AsyncClient) -> None:
    changed = await me.patch("/v1/me", json=SETTINGS)
    assert changed.status_code == 200
    shown = (await me.get("/v1/me")).json()
    assert shown == changed.json()
    assert {name: shown[name] for name in SETTINGS} == SETTINGS
    assert set(shown) - set(SETTINGS) == {"medic_id", "name", "blocked"}


async def test_what_is_not_given_stays(me: httpx.AsyncClient) -> None:
    before = (await me.patch("/v1/me", json=SETTINGS)).json()
    after = (await me.patch("/v1/me", json={"mode": "foot"})).json()
    assert after == {**before, "mode": "foot"}
    assert (await me.patch("/v1/me", json={"time_zone": None})).json()["time_zone"] is None
    assert (await me.patch("/v1/me", json={})).json() == {**after, "time_zone": None}


BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"available": 1}, "available"),
    ({"available": None}, "available"),
    ({"mode": "boat"}, "mode"),
    ({"language": "de"}, "language"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "../../etc/passwd"}, "time_zone"),
    ({"quiet_hours": [{"days": [0], "from": "22:00", "to": "07:00"}]}, "quiet_hours[0].days[0]"),
    ({"quiet_hours": [{"days": [], "from": "22:00", "to": "07:00"}]}, "quiet_hours[0].days"),
    ({"quiet_hours": [{"days": [1], "from": "24:00", "to": "07:00"}]}, "quiet_hours[0].from"),
    ({"quiet_hours": [{"days": [1], "from": "22:00\n", "to": "07:00"}]}, "quiet_hours[0].from"),
    ({"quiet_hours": [{"days": [1], "from": "22:00", "to": "07:00\n"}]}, "quiet_hours[0].to"),
    ({"places": [{"label": "x", "lat": 91, "lon": 0}]}, "places[0].lat"),
    ({"places": [{"label": "", "lat": 1, "lon": 0}]}, "places[0].label"),
    ({"channels": ["pigeon"]}, "channels[0]"),
    ({"name": "Other"}, "name"),
    ({"suspended": False}, "suspended"),
]


async def test_settings_that_are_not_right_change_nothing(world: World, me: httpx.AsyncClient) -> None:
    before = await everything(world.pool)
    for body, field in BAD_SETTINGS:
        answer = await me.patch("/v1/me", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), body
    assert await everything(world.pool) == before


async def test_without_a_good_token_everything_of_hers_is_401(world: World) -> None:
    key = await world.key()
    for bearer in (None, "dt_wrong", key):
        client = await world.client(bearer)
        for method, path in (
            ("GET", "/v1/me"),
            ("PATCH", "/v1/me"),
            ("DELETE", "/v1/me"),
            ("DELETE", "/v1/me/tokens"),
            ("PUT", "/v1/me/position"),
            ("GET", "/v1/me/alerts"),
            ("POST", "/v1/me/alerts/x-1/accept"),
        ):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path


async def test_her_position_is_used_by_the_next_decision(
    world: World, me: httpx.AsyncClient, device: Device
) -> None:
    far_north = {"lat": DOM["lat"] + 2, "lon": DOM["lon"]}
    assert (await me.put("/v1/me/position", json={**far_north, "at": now()})).status_code == 204
    room = await world.room()
    assert (await room.post("/v1/incidents", json=a_report("1"))).json()["alerts"] == []
    there = await room.post("/v1/incidents", json=a_report("2", position=far_north))
    assert there.json()["alerts"][0]["medic_id"] == device.medic_id


async def test_an_older_position_does_not_replace_a_newer(
    world: World, me: httpx.AsyncClient, device: Device
) -> None:
    await me.put("/v1/me/position", json={**DOM, "at": now()})
    old = rfc3339(int(time.time() * 1000) - 60_000)
    assert (await me.put("/v1/me/position", json={"lat": 0, "lon": 0, "at": old})).status_code == 204
    incident = (await (await world.room()).post("/v1/incidents", json=a_report())).json()
    assert incident["alerts"][0]["distance_m"] == 0


async def test_her_alerts_are_listed_as_the_socket_gives_them(
    world: World, me: httpx.AsyncClient, device: Device
) -> None:
    assert (await me.get("/v1/me/alerts")).json() == {"items": []}
    room = await world.room()
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    frame = await device.alert()
    await device.answer("accept", frame["alert_id"])
    [shown] = (await me.get("/v1/me/alerts")).json()["items"]
    assert shown.pop("state") == "accepted"
    assert shown == frame
    await room.post(f"/v1/incidents/{incident['id']}/close")
    assert (await me.get("/v1/me/alerts")).json() == {"items": []}


async def test_answers_over_http_are_durable_and_told_on_her_sockets(
    world: World, me: httpx.AsyncClient, device: Device
) -> None:
    await (await world.room()).post("/v1/incidents", json=a_report())
    alert_id = (await device.alert())["alert_id"]
    steps = [
        ("seen", 200, "seen"),
        ("seen", 200, "seen"),
        ("finished", 409, "not_engaged"),
        ("accept", 200, "accepted"),
        ("accept", 200, "accepted"),
        ("arrived", 200, "arrived"),
        ("finished", 200, "finished"),
        ("finished", 200, "finished"),
        ("accept", 409, "ended"),
    ]
    for word, status, then in steps:
        answer = await me.post(f"/v1/me/alerts/{alert_id}/{word}")
        assert answer.status_code == status, word
        expected = {"alert_id": alert_id, "state": then} if status == 200 else then
        assert (answer.json() if status == 200 else answer.json()["code"]) == expected, word
    told = [(await device.next())["state"] for _ in range(5)]
    assert told == ["accepted", "accepted", "arrived", "finished", "finished"]


async def test_not_to_be_available_declines_an_open_alert(
    world: World, me: httpx.AsyncClient, device: Device
) -> None:
    room = await world.room()
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    await device.alert()
    await me.patch("/v1/me", json={"available": False})
    alert = (await room.get(f"/v1/incidents/{incident['id']}")).json()["alerts"][0]
    assert alert["state"] == "declined"


async def test_delete_means_delete(world: World, me: httpx.AsyncClient, device: Device) -> None:
    room = await world.room()
    await me.put("/v1/me/position", json={**DOM, "accuracy_m": 5, "at": now()})
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    phone = await world.phone(device.medic_id)
    assert (await me.delete("/v1/me")).status_code == 204
    assert await device.closed() == 4401
    assert (await me.get("/v1/me")).status_code == 401
    assert await medics.get(world.pool, device.medic_id) is None
    tables = await world.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    for (name,) in tables:
        for row in await world.pool.fetch(f"select t::text from {name} t"):
            assert phone not in row[0], name
            assert name == "medic_gone" or device.medic_id not in row[0], name
    alert = (await room.get(f"/v1/incidents/{incident['id']}")).json()["alerts"][0]
    assert (alert["state"], alert["medic_id"], alert["distance_m"]) == ("declined", None, None)
