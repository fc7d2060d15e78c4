"""A key or a device beyond its rate is 429 while others are served; a device's frames wait their turn."""

from typing import Any

import httpx

from tests.api.world import World, a_report

FOR_LONG_PER_S = 0.2
"""A bucket holds ten seconds of it: two requests."""


def refused_for_a_while(answer: httpx.Response) -> bool:
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 6
    return (answer.status_code, answer.json()["code"]) == (429, "too_many")


async def post(room: httpx.AsyncClient, name: str) -> httpx.Response:
    return await room.post("/v1/incidents", json=a_report(name), headers={"Idempotency-Key": name})


async def test_a_key_over_its_rate_is_refused_while_another_is_served(make_world: Any) -> None:
    async with make_world(key_requests_per_s=FOR_LONG_PER_S) as world:
        room, other = await world.room(), await world.room("Zwolle")
        for _ in range(2):
            assert (await room.get("/v1/incidents")).status_code == 200
        assert refused_for_a_while(await room.get("/v1/incidents"))
        assert refused_for_a_while(await post(room, "R-1"))
        assert (await other.get("/v1/incidents")).status_code == 200
        figures = (await (await world.client()).get("/metrics")).text
        assert 'dispatch_rate_limited_total{who="key"} 2.0' in figures
        assert (await post(other, "k" * 201)).status_code == 422
        assert refused_for_a_while(await post(other, "k" * 201)), "one that is not taken is not remembered"
    assert await world.pool.fetchval("select count(*) from incident") == 0


async def test_a_retry_with_its_idempotency_key_is_not_punished_for_the_first_try(make_world: Any) -> None:
    async with make_world(key_requests_per_s=FOR_LONG_PER_S) as world:
        room = await world.room()
        ids = [(await post(room, name)).json()["id"] for name in ("R-1", "R-2")]
        assert refused_for_a_while(await post(room, "R-3"))
        again = [await post(room, name) for name in ("R-1", "R-2")]
        assert [(answer.status_code, answer.json()["id"]) for answer in again] == [
            (200, ids[0]),
            (200, ids[1]),
        ]
        assert refused_for_a_while(await post(room, "R-2")), "nor is it free"


async def test_a_device_over_its_rate_is_refused_while_another_is_served(make_world: Any) -> None:
    async with make_world(device_requests_per_s=FOR_LONG_PER_S) as world:
        clients = [await world.client(await world.token(await world.medic())) for _ in range(2)]
        for _ in range(2):
            assert (await clients[0].get("/v1/me")).status_code == 200
        assert refused_for_a_while(await clients[0].get("/v1/me"))
        assert (await clients[1].get("/v1/me")).status_code == 200
        figures = (await (await world.client()).get("/metrics")).text
        assert 'dispatch_rate_limited_total{who="device"} 1.0' in figures


async def test_frames_beyond_it_wait_their_turn_and_each_is_answered(make_world: Any) -> None:
    async with make_world(device_requests_per_s=5) as world:
        device = await world.medic_on_socket()
        room = await world.room()
        await room.post("/v1/incidents", json=a_report())
        alert_id = (await device.alert())["alert_id"]
        for _ in range(52):  # one was the ack
            await device.say(type="decline", alert_id=alert_id)
        for _ in range(52):
            assert (await device.next("answered"))["state"] == "declined"
        figures = (await (await world.client()).get("/metrics")).text
        assert 'dispatch_rate_limited_total{who="device"}' in figures


async def test_a_revoked_or_unknown_key_is_401_and_takes_nothing_from_the_good_one(world: World) -> None:
    stranger = await world.client("dk_" + "x" * 43)
    for _ in range(5):
        assert (await stranger.get("/v1/incidents")).status_code == 401
    assert (await (await world.room()).get("/v1/incidents")).status_code == 200


async def test_a_lost_phone_that_floods_does_not_keep_her_from_signing_out_and_is_not_heard_after(
    make_world: Any,
) -> None:
    async with make_world(device_requests_per_s=1) as world:
        lost = await world.medic_on_socket()
        await (await world.room()).post("/v1/incidents", json=a_report())
        alert_id = (await lost.alert())["alert_id"]
        for _ in range(9):  # with the ack as many as are taken at once
            await lost.say(type="accept", alert_id=alert_id)
            await lost.next("answered")
        for _ in range(5):
            await lost.say(type="decline", alert_id=alert_id)
        hers = await world.client(await world.token(lost.medic_id))
        assert (await hers.delete("/v1/me/tokens")).status_code == 204
        assert await lost.closed() == 4401
    answers = "select count(*) from event where type = 'AlertAnswered'"
    assert await world.pool.fetchval(answers) == 1, "she accepted, and nobody declined for her"
