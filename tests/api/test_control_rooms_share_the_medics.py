"""Medics as control rooms see them: registered, listed, changed by their own, suspended by any."""

from typing import Any

import httpx

from tests.api.world import World, a_report, everything

ANNA = {"name": "Anna", "phone": "+31612345678"}
WHOLE = {
    **ANNA,
    "language": "en",
    "skills": ["nurse", "bls"],
    "mode": "bicycle",
    "cleared_for_homes": True,
    "verified": False,
    "suspended": True,
    "certificate_until": "2027-05-01T00:00:00.000Z",
}


async def test_a_medic_is_registered_with_what_was_given(room: httpx.AsyncClient) -> None:
    made = await room.post("/v1/medics", json=WHOLE)
    assert made.status_code == 201
    shown = (await room.get(f"/v1/medics/{made.json()['id']}")).json()
    assert shown == made.json() == {"id": shown["id"], **WHOLE, "available": False, "blocked": []}


async def test_who_is_registered_with_name_and_phone_alone_is_verified(room: httpx.AsyncClient) -> None:
    made = (await room.post("/v1/medics", json=ANNA)).json()
    assert made["verified"] is True
    assert (made["language"], made["mode"], made["skills"]) == ("nl", "foot", [])
    assert not made["suspended"]
    assert not made["cleared_for_homes"]
    assert made["certificate_until"] is None


async def test_a_phone_belongs_to_one_medic(world: World, room: httpx.AsyncClient) -> None:
    first = (await room.post("/v1/medics", json=ANNA)).json()
    second = (await room.post("/v1/medics", json={**ANNA, "phone": "+31612345679"})).json()
    before = await everything(world.pool)
    answers = [
        await room.post("/v1/medics", json={"name": "Other", "phone": ANNA["phone"]}),
        await room.patch(f"/v1/medics/{second['id']}", json={"phone": ANNA["phone"]}),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "phone_in_use")}
    assert all(str(ANNA["phone"]) not in one.text for one in answers)
    assert await everything(world.pool) == before
    assert first["phone"] == ANNA["phone"]


async def test_they_are_listed_by_pages(room: httpx.AsyncClient) -> None:
    ids = set()
    for n in range(5):
        body = {"name": f"M{n}", "phone": f"+3161234567{n}"}
        ids.add((await room.post("/v1/medics", json=body)).json()["id"])
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = "limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = (await room.get(f"/v1/medics?{query}")).json()
        assert len(page["items"]) <= 2
        seen += [medic["id"] for medic in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == seen
    assert set(seen) == ids


async def test_another_control_room_may_suspend_her_and_nothing_else(
    world: World, room: httpx.AsyncClient
) -> None:
    medic = (await room.post("/v1/medics", json=ANNA)).json()
    amsterdam = await world.room("Amsterdam")
    path = f"/v1/medics/{medic['id']}"
    for body in ({"name": "x"}, {"suspended": True, "mode": "car"}, {"verified": False}):
        answer = await amsterdam.patch(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), body
    assert (await room.get(path)).json() == medic
    assert (await amsterdam.patch(path, json={"suspended": True})).json()["suspended"] is True
    assert (await room.get(path)).json()["suspended"] is True


async def test_her_phone_is_shown_to_who_registered_her_alone(world: World, room: httpx.AsyncClient) -> None:
    medic = (await room.post("/v1/medics", json=ANNA)).json()
    amsterdam = await world.room("Amsterdam")
    for path in (f"/v1/medics/{medic['id']}", "/v1/medics"):
        assert str(ANNA["phone"]) not in (await amsterdam.get(path)).text
        assert str(ANNA["phone"]) in (await room.get(path)).text


async def test_another_phone_of_hers_is_not_blocked_for_what_the_former_one_said(
    world: World, room: httpx.AsyncClient
) -> None:
    """Whoever opted out at her carrier did so for that number."""
    path = f"/v1/medics/{(await room.post('/v1/medics', json=ANNA)).json()['id']}"
    await world.pool.execute("update medic set blocked = '{sms}'")
    assert (await room.patch(path, json={"phone": ANNA["phone"], "mode": "car"})).json()["blocked"] == ["sms"]
    assert (await room.patch(path, json={"phone": "+31612345679"})).json()["blocked"] == []


async def test_suspending_stands_down_what_she_has(world: World, room: httpx.AsyncClient) -> None:
    device = await world.medic_on_socket()
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    frame = await device.alert()
    await device.answer("accept", frame["alert_id"])
    await room.patch(f"/v1/medics/{device.medic_id}", json={"suspended": True})
    assert (await device.next("stand_down"))["reason"] == "suspended"
    alert = (await room.get(f"/v1/incidents/{incident['id']}")).json()["alerts"][0]
    assert alert["state"] == "stood_down"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"phone": "+31612345678"}, "name"),
    ({"name": "x"}, "phone"),
    ({**ANNA, "phone": "0612345678"}, "phone"),
    ({**ANNA, "phone": "+31612345678\n"}, "phone"),
    ({**ANNA, "name": ""}, "name"),
    ({**ANNA, "skills": ["Two Words"]}, "skills[0]"),
    ({**ANNA, "skills": ["nurse\n"]}, "skills[0]"),
    ({**ANNA, "skills": "nurse"}, "skills"),
    ({**ANNA, "mode": "horse"}, "mode"),
    ({**ANNA, "verified": 1}, "verified"),
    ({**ANNA, "certificate_until": "2027-05-01"}, "certificate_until"),
    ({**ANNA, "certificate_until": "0001-01-01T00:00:00+14:00"}, "certificate_until"),
    ({**ANNA, "certificate_until": "9999-12-31T23:59:59-14:00"}, "certificate_until"),
    ({**ANNA, "available": True}, "available"),
]


async def test_what_is_not_right_names_the_field_and_registers_nobody(
    world: World, room: httpx.AsyncClient
) -> None:
    before = await everything(world.pool)
    for body, field in BAD:
        answer = await room.post("/v1/medics", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), body
    assert await everything(world.pool) == before
