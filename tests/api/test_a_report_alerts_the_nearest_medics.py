"""The main job over the wire: a report, alerts on sockets, an answer, a stand-down."""

import httpx

from tests.api.world import World, a_report


async def test_a_report_rings_the_devices_of_the_nearest_and_shows_them_by_eta(
    world: World, room: httpx.AsyncClient
) -> None:
    far, near = await world.medic_on_socket(500), await world.medic_on_socket(100)
    answer = await room.post("/v1/incidents", json=a_report(directions="door 3", details="knife"))
    assert answer.status_code == 201
    incident = answer.json()
    assert [alert["medic_id"] for alert in incident["alerts"]] == [near.medic_id, far.medic_id]
    assert incident["alerting"]["state"] == "active"
    frame = await near.alert()
    assert frame["alert_id"] == incident["alerts"][0]["id"]
    assert frame["incident"]["address"] == "Domplein 1"
    assert frame["incident"]["directions"] == "door 3"
    assert "knife" not in str(frame)
    assert frame["expires_at"].endswith("Z")
