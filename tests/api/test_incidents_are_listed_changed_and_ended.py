"""A control room's own incidents: lists, changes, more, enough, and the ways to end."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx

from tests.api.world import DOM, World, a_report


async def report(room: httpx.AsyncClient, reference: str = "R-1", **changes: Any) -> dict[str, Any]:
    answer = await room.post("/v1/incidents", json=a_report(reference, **changes))
    assert answer.status_code == 201
    incident: dict[str, Any] = answer.json()
    return incident


async def test_everything_that_was_reported_is_shown(room: httpx.AsyncClient) -> None:
    given = {
        "position": {**DOM, "accuracy_m": 12.5},
        "directions": "back door",
        "details": "knife",
        "priority": 4,
        "setting": "private",
        "hazard": "hold",
    }
    incident = await report(room, **given)
    assert {name: incident[name] for name in given} == given
    assert (incident["state"], incident["held_for"]) == ("held", ["hazard"])
    assert incident["alerting"]["state"] == "held"
    assert (await room.get(f"/v1/incidents/{incident['id']}")).json() == incident


async def test_null_is_as_good_as_left_out(room: httpx.AsyncClient) -> None:
    optional = ("code", "called_at", "address", "directions", "details", "priority", "setting")
    more = ("ambulance_due_at", "hazard", "drill")
    incident = await report(room, **dict.fromkeys([*optional, *more]))
    assert (incident["setting"], incident["hazard"], incident["drill"]) == ("public", "none", False)


async def test_they_are_listed_newest_first_by_pages(room: httpx.AsyncClient) -> None:
    ids = [(await report(room, f"R-{n}"))["id"] for n in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await room.get(f"/v1/incidents?limit=2{cursor}")).json()
        seen += [incident["id"] for incident in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids[::-1]


async def test_they_are_found_by_state_and_reference(room: httpx.AsyncClient) -> None:
    opened = await report(room, "open")
    held = await report(room, "held", hazard="hold")
    closed = await report(room, "closed")
    await room.post(f"/v1/incidents/{closed['id']}/close")
    cancelled = await report(room, "cancelled")
    await room.post(f"/v1/incidents/{cancelled['id']}/cancel")

    async def found(query: str) -> list[str]:
        items = (await room.get(f"/v1/incidents?{query}")).json()["items"]
        return [incident["reference"] for incident in items]

    assert await found("state=open") == ["open"]
    assert await found("state=held") == ["held"]
    assert await found("state=live") == ["held", "open"]
    assert await found("state=closed") == ["closed"]
    assert await found("state=cancelled") == ["cancelled"]
    assert await found("reference=held") == ["held"]
    assert await found("reference=held&state=open") == []
    assert {opened["state"], held["state"]} == {"open", "held"}


async def test_a_change_is_shown_and_the_rest_stays(room: httpx.AsyncClient) -> None:
    incident = await report(room, directions="left", details="old")
    path = f"/v1/incidents/{incident['id']}"
    changed = (await room.patch(path, json={"address": "Neude 2", "directions": None})).json()
    assert (changed["address"], changed["directions"], changed["details"]) == ("Neude 2", None, "old")
    moved = (await room.patch(path, json={"position": {"lat": 52.1, "lon": 5.1}})).json()
    assert (moved["position"]["lat"], moved["address"]) == (52.1, "Neude 2")
    other = (await room.patch(path, json={"kind": "other", "priority": 2})).json()
    assert (other["kind"], other["priority"]) == ("other", 2)
    assert other["policy"] != incident["policy"]
    events = (await room.get(f"{path}/events")).json()["items"]
    updates = [event["data"] for event in events if event["type"] == "IncidentUpdated"]
    assert updates[0] == {"fields": ["address", "directions"]}
    assert updates[2] == {
        "fields": ["kind", "priority"],
        "kind": "other",
        "policy": other["policy"],
        "priority": 2,
    }


async def test_an_empty_change_changes_nothing(room: httpx.AsyncClient) -> None:
    incident = await report(room)
    answer = await room.patch(f"/v1/incidents/{incident['id']}", json={})
    assert (answer.status_code, answer.json()) == (200, incident)


async def test_what_is_given_as_it_is_changes_nothing_and_tells_nobody(world: World) -> None:
    """As systems do that write their whole record at each key."""
    room, device = await world.room(), await world.medic_on_socket()
    whole = {"directions": "left", "priority": 4, "setting": "public", "ambulance_due_at": None}
    incident = await report(room, **whole)
    path = f"/v1/incidents/{incident['id']}"
    frame = await device.alert()
    await device.answer("accept", frame["alert_id"])
    before = (await room.get(path)).json()
    given = {**whole, **{name: before[name] for name in ("kind", "position", "address", "details")}}
    for body in (given, *({name: value} for name, value in given.items())):
        answer = await room.patch(path, json=body)
        assert (answer.status_code, answer.json()) == (200, before), body
    changed = (await room.patch(path, json={**given, "address": "Neude 2"})).json()
    assert (await device.next())["incident"]["address"] == "Neude 2"
    events = (await room.get(f"{path}/events")).json()["items"]
    updates = [event["data"] for event in events if event["type"] == "IncidentUpdated"]
    assert updates == [{"fields": ["address"]}]
    assert changed["priority"] == 4


async def test_a_priority_given_with_another_kind_counts(room: httpx.AsyncClient) -> None:
    incident = await report(room)
    body = {"kind": "choking", "priority": incident["priority"]}
    changed = (await room.patch(f"/v1/incidents/{incident['id']}", json=body)).json()
    assert (changed["kind"], changed["priority"]) == ("choking", incident["priority"])
    again = (await room.patch(f"/v1/incidents/{incident['id']}", json={"kind": "choking"})).json()
    assert again["priority"] == incident["priority"]


async def test_what_may_end_a_hold_counts_though_it_is_as_it_was(room: httpx.AsyncClient) -> None:
    incident = await report(room)
    path = f"/v1/incidents/{incident['id']}"
    alert_free = {"hazard": "hold"}, {"hazard": "none"}, {"hazard": "none"}
    states = [(await room.patch(path, json=body)).json()["state"] for body in alert_free]
    assert states == ["held", "open", "open"]
    events = (await room.get(f"{path}/events")).json()["items"]
    assert [event["type"] for event in events].count("IncidentUpdated") == 3


async def test_the_ambulances_times(room: httpx.AsyncClient) -> None:
    incident = await report(room)
    path = f"/v1/incidents/{incident['id']}"
    due = incident["opened_at"]
    assert (await room.patch(path, json={"ambulance_due_at": due})).json()["ambulance_due_at"] == due
    assert (await room.patch(path, json={"ambulance_due_at": None})).json()["ambulance_due_at"] is None
    arrived = (await room.patch(path, json={"ambulance_arrived_at": due})).json()
    assert (arrived["ambulance_arrived_at"], arrived["alerting"]["state"]) == (due, "ended")


async def test_a_call_that_is_a_little_ahead_of_our_clock_is_of_now(room: httpx.AsyncClient) -> None:
    ahead = datetime.now(UTC) + timedelta(seconds=30)
    incident = await report(room, called_at=ahead.isoformat())
    assert incident["called_at"] <= incident["opened_at"]
    too_far = await room.post(
        "/v1/incidents", json=a_report("2", called_at=(ahead + timedelta(60)).isoformat())
    )
    assert too_far.json()["errors"][0]["field"] == "called_at"


async def test_an_offset_is_understood_and_answered_in_utc(room: httpx.AsyncClient) -> None:
    called = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    there = called.astimezone(timezone(timedelta(hours=5, minutes=30)))
    incident = await report(room, called_at=there.isoformat())
    assert incident["called_at"] == called.strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def test_an_address_of_blanks_is_no_place_to_send_anybody(room: httpx.AsyncClient) -> None:
    """As systems send that fill their fields up."""
    vague = {"position": {**DOM, "accuracy_m": 5_000}}
    for i, address in enumerate((None, "", "   ", "\t\n")):
        incident = (
            await room.post("/v1/incidents", json=a_report(f"V-{i}", **vague, address=address))
        ).json()
        assert (incident["state"], incident["held_for"]) == ("held", ["position"]), address
        path = f"/v1/incidents/{incident['id']}"
        assert (await room.patch(path, json={"address": " "})).json()["state"] == "held"
        assert (await room.patch(path, json={"address": "Domplein 1"})).json()["state"] == "open"


async def test_more_and_enough(room: httpx.AsyncClient) -> None:
    incident = await report(room)
    path = f"/v1/incidents/{incident['id']}"
    assert (await room.post(f"{path}/enough")).json()["alerting"]["state"] == "ended"
    more = (await room.post(f"{path}/more", json={"count": 3})).json()["alerting"]
    assert more["wanted"] == incident["alerting"]["wanted"] + 3
    assert more["state"] != "ended"


async def test_ends_and_their_repeats(room: httpx.AsyncClient) -> None:
    for first, other, state in (("close", "cancel", "closed"), ("cancel", "close", "cancelled")):
        incident = await report(room, first)
        path = f"/v1/incidents/{incident['id']}"
        ended = (await room.post(f"{path}/{first}")).json()
        assert ended["state"] == state
        assert ended["ended_at"] is not None
        assert ended["alerting"]["state"] == "ended"
        assert (await room.post(f"{path}/{first}", json={})).status_code == 200
        refused = [
            await room.post(f"{path}/{other}"),
            await room.post(f"{path}/enough"),
            await room.post(f"{path}/more", json={"count": 1}),
            await room.patch(path, json={"address": "x"}),
            await room.patch(path, json={}),
        ]
        assert {(one.status_code, one.json()["code"]) for one in refused} == {(409, "ended")}
        assert (await room.post(f"{path}/reopen")).json()["state"] == "open"


async def test_a_code_means_a_kind_or_never(make_world: Any, tmp_path: Any) -> None:
    codes = tmp_path / "codes.toml"
    codes.write_text('[mpds]\n"09E01" = "cardiac_arrest"\n"23C01" = "never"\n')
    async with make_world(codes_file=codes) as world:
        world: World
        room = await world.room()

        async def coded(reference: str, value: str, **more: Any) -> httpx.Response:
            body = a_report(reference, code={"system": "mpds", "value": value}, **more)
            return await room.post("/v1/incidents", json=body)

        assert (await coded("1", "09E01", kind=None)).json()["kind"] == "cardiac_arrest"
        assert (await coded("2", "09E01", kind="trauma")).json()["kind"] == "trauma"
        never = (await coded("3", "23C01", kind=None)).json()
        assert (never["state"], never["held_for"], never["kind"]) == ("held", ["code"], "other")
        assert (await coded("4", "99", kind=None)).json()["errors"][0]["field"] == "code"
        assert (await coded("5", "99", kind="trauma")).json()["kind"] == "trauma"
        path = f"/v1/incidents/{never['id']}"
        freed = (await room.patch(path, json={"code": {"system": "mpds", "value": "09E01"}})).json()
        assert (freed["state"], freed["kind"]) == ("open", "cardiac_arrest")
        code = {"code": {"system": "mpds", "value": "23C01"}, "kind": "cardiac_arrest"}
        assert (await room.patch(path, json=code)).json()["held_for"] == ["code"]
        # The kind that it has already is what the control room says of it now.
        assert (await room.patch(path, json={"kind": "cardiac_arrest"})).json()["state"] == "open"
