"""What belongs to another control room is not there: not to read, change, end or follow."""

import httpx
import pytest

from tests.api.world import World, a_report


@pytest.fixture
async def theirs(world: World) -> str:
    """The id of another control room's incident."""
    answer = await (await world.room("Amsterdam")).post("/v1/incidents", json=a_report())
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_anothers_incident_is_not_found(room: httpx.AsyncClient, theirs: str) -> None:
    path = f"/v1/incidents/{theirs}"
    answers = [
        await room.get(path),
        await room.get(f"{path}/events"),
        await room.patch(path, json={"address": "x"}),
        await room.post(f"{path}/more", json={"count": 1}),
        *[await room.post(f"{path}/{word}") for word in ("enough", "cancel", "close", "reopen")],
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert (await room.get("/v1/incidents")).json() == {"items": [], "next_cursor": None, "feed_id": "0"}


async def test_it_is_left_as_it_was(world: World, room: httpx.AsyncClient, theirs: str) -> None:
    await room.post(f"/v1/incidents/{theirs}/cancel")
    amsterdam = await world.room("Amsterdam")
    assert (await amsterdam.get(f"/v1/incidents/{theirs}")).json()["state"] == "open"


async def test_two_control_rooms_may_use_the_same_reference_and_key(
    world: World, room: httpx.AsyncClient, theirs: str
) -> None:
    headers = {"Idempotency-Key": "same"}
    amsterdam = await world.room("Amsterdam")
    first = await amsterdam.post("/v1/incidents", json=a_report("R-2"), headers=headers)
    second = await room.post("/v1/incidents", json=a_report("R-2"), headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
