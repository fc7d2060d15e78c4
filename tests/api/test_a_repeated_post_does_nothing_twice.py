"""Idempotency-Key: the same request again answers with the thing as it now is, and does nothing again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from dispatch.api import checks
from tests.api.world import World, a_report

KEY = {"Idempotency-Key": "once"}


async def count(world: World, table: str) -> int:
    number: int = await world.pool.fetchval(f"select count(*) from {table}")
    return number


async def test_a_repeated_report_answers_200_with_the_incident_as_it_now_is(
    world: World, room: httpx.AsyncClient
) -> None:
    first = await room.post("/v1/incidents", json=a_report(), headers=KEY)
    await room.patch(f"/v1/incidents/{first.json()['id']}", json={"address": "Janskerkhof"})
    again = await room.post("/v1/incidents", json=a_report(), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["address"] == "Janskerkhof"
    assert await count(world, "incident") == 1


async def test_the_same_document_spelled_otherwise_is_the_same(room: httpx.AsyncClient) -> None:
    headers = {**KEY, "Content-Type": "application/json"}
    first = await room.post(
        "/v1/incidents",
        content=b'{"reference":"R","kind":"other","position":{"lat":52,"lon":5}}',
        headers=headers,
    )
    again = await room.post(
        "/v1/incidents",
        content=b'{ "position": {"lon": 5.0, "lat": 52.0}, "kind": "\\u006fther", "reference": "R" }',
        headers=headers,
    )
    assert (first.status_code, again.status_code) == (201, 200)


async def test_another_request_with_the_same_key_is_refused(world: World, room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report(), headers=KEY)).json()["id"]
    others: list[tuple[str, Any]] = [
        ("/v1/incidents", a_report("R-2")),
        ("/v1/incidents", a_report(address="elsewhere")),
        (f"/v1/incidents/{incident}/more", {"count": 1}),
        (f"/v1/incidents/{incident}/close", None),
    ]
    for path, body in others:
        answer = await room.post(path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "key_reused"), path
    assert await count(world, "incident") == 1
    assert (await room.get(f"/v1/incidents/{incident}")).json()["state"] == "open"


async def test_twins_under_way_make_one(world: World, room: httpx.AsyncClient) -> None:
    await world.medic_on_socket()
    answers = await asyncio.gather(
        *(room.post("/v1/incidents", json=a_report(), headers=KEY) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(world, "incident") == 1


async def test_more_asked_once_is_counted_once(room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    path = f"/v1/incidents/{incident['id']}/more"
    wanted = [
        (await room.post(path, json={"count": 2}, headers=KEY)).json()["alerting"]["wanted"] for _ in range(3)
    ]
    assert wanted == [incident["alerting"]["wanted"] + 2] * 3
    other = await room.post(path, json={"count": 2}, headers={"Idempotency-Key": "another"})
    assert other.json()["alerting"]["wanted"] == incident["alerting"]["wanted"] + 4


async def test_a_repeat_is_answered_though_the_incident_would_refuse_it_now(room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()["id"]
    path = f"/v1/incidents/{incident}/more"
    assert (await room.post(path, json={"count": 1}, headers=KEY)).status_code == 200
    await room.post(f"/v1/incidents/{incident}/close")
    again = await room.post(path, json={"count": 1}, headers=KEY)
    assert (again.status_code, again.json()["state"]) == (200, "closed")


async def test_a_repeat_is_answered_though_the_report_would_be_refused_now(
    room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a call a week ago was reported in its last second: told that, she reports it once more."""
    called_at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    first = await room.post("/v1/incidents", json=a_report(called_at=called_at), headers=KEY)
    monkeypatch.setattr(checks, "BACK_MS_MAX", 0)
    again = await room.post("/v1/incidents", json=a_report(called_at=called_at), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    other = await room.post("/v1/incidents", json=a_report("R-2", called_at=called_at), headers=KEY)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


async def test_a_key_of_a_refused_request_may_be_used_again(room: httpx.AsyncClient) -> None:
    assert (await room.post("/v1/incidents", json=a_report(kind="dragon"), headers=KEY)).status_code == 422
    assert (await room.post("/v1/incidents", json=a_report(), headers=KEY)).status_code == 201


async def test_a_key_is_good_for_24_hours(world: World, room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report(), headers=KEY)).json()["id"]
    day_ms = 24 * 3600 * 1000
    await world.pool.execute("update idempotency set created_at = created_at - $1", day_ms + 1)
    again = await room.post(f"/v1/incidents/{incident}/more", json={"count": 1}, headers=KEY)
    assert again.status_code == 200


async def test_a_key_has_at_most_200_characters(world: World, room: httpx.AsyncClient) -> None:
    for key, status in (("k" * 200, 201), ("k" * 201, 422), ("", 422)):
        answer = await room.post("/v1/incidents", json=a_report(), headers={"Idempotency-Key": key})
        assert answer.status_code == status
    assert await count(world, "incident") == 1


async def test_a_medic_is_registered_once(world: World, room: httpx.AsyncClient) -> None:
    body = {"name": "Anna", "phone": "+31612345678"}
    first = await room.post("/v1/medics", json=body, headers=KEY)
    await room.patch(f"/v1/medics/{first.json()['id']}", json={"name": "Ans"})
    again = await room.post("/v1/medics", json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["name"] == "Ans"
    other = await room.post("/v1/medics", json={**body, "phone": "+31612345679"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert await count(world, "medic") == 1


async def test_twins_register_a_medic_once(
    world: World, room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.api.lag.Lag.seconds", 0.0)  # however slow this machine
    body = {"name": "Anna", "phone": "+31612345678"}
    answers = await asyncio.gather(*(room.post("/v1/medics", json=body, headers=KEY) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert await count(world, "medic") == 1


async def test_a_reference_is_used_once_within_24_hours(world: World, room: httpx.AsyncClient) -> None:
    first = (await room.post("/v1/incidents", json=a_report())).json()
    again = await room.post("/v1/incidents", json=a_report(kind="other"))
    assert (again.status_code, again.json()["code"]) == (409, "reference_in_use")
    assert again.json()["incident_id"] == first["id"]
    await world.pool.execute("update incident set opened_at = opened_at - $1", 24 * 3600 * 1000 + 1)
    assert (await room.post("/v1/incidents", json=a_report())).status_code == 201


async def test_a_medic_is_registered_with_her_key_or_not_at_all(
    world: World, room: httpx.AsyncClient
) -> None:
    """Else who repeats after a 503, as she should, is told that the phone is in use."""
    anna = {"name": "Anna", "phone": "+31612345678"}
    await world.pool.execute(
        "create function no() returns trigger language plpgsql as"
        " $$begin raise exception 'no' using errcode = '57P03'; end$$"
    )
    await world.pool.execute("create trigger no before insert on idempotency execute function no()")
    assert (await room.post("/v1/medics", json=anna, headers=KEY)).status_code == 503
    assert await count(world, "medic") == 0
    await world.pool.execute("drop trigger no on idempotency")
    answers = [await room.post("/v1/medics", json=anna, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    other = await room.post("/v1/medics", json={**anna, "phone": "+31612345679"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert await count(world, "medic") == 1
