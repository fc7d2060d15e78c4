"""Retention takes where it was and what was said; that there was an incident, and how it went, stays."""

from tests.api.world import World, a_report


async def test_read_listed_and_its_trail(world: World):
    room = await world.room()
    await world.medic_on_socket()
    opened = (await room.post("/v1/incidents", json=a_report())).json()
    path = f"/v1/incidents/{opened['id']}"
    assert (await room.post(f"{path}/close")).status_code == 200
    await world.pool.execute("delete from incident_details")
    (listed,) = (await room.get("/v1/incidents")).json()["items"]
    assert (listed["id"], listed["state"], listed["position"], listed["address"]) == (
        opened["id"],
        "closed",
        None,
        None,
    )
    assert (await world.events(room, opened["id"]))[0] == "IncidentOpened"


async def test_after_a_restart_too_and_to_change_or_reopen_it_is_too_late(make_world, world: World):
    """Held, it would be reopened with nobody to look for, and then have no place."""
    room = await world.room()
    opened = (await room.post("/v1/incidents", json=a_report(hazard="hold"))).json()
    path = f"/v1/incidents/{opened['id']}"
    await room.post(f"{path}/cancel")
    await world.pool.execute("delete from incident_details")
    async with make_world() as again:
        client = await again.room()
        assert (await client.get(path)).json()["position"] is None
        changed = await client.patch(path, json={"address": "Elsewhere 1"})
        for answer in changed, await client.post(f"{path}/reopen"):
            assert (answer.status_code, answer.json()["code"]) == (409, "ended")
        assert (await client.get(path)).json()["state"] == "cancelled"
