"""Every kind of bad input: the contract's answer, which field it is about, and not a row changed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.world import DOM, World, a_report, everything

JSON = {"Content-Type": "application/json"}


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document, which is well formed by RFC 9457 and the contract."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"]
    assert problem["title"]
    return problem


def raw(body: bytes) -> dict[str, Any]:
    return {"content": body, "headers": JSON}


def report(**changes: Any) -> dict[str, Any]:
    return {"json": a_report(**changes)}


def text(position: str) -> dict[str, Any]:
    return raw(b'{"reference": "R", "kind": "other", "position": ' + position.encode() + b"}")


MALFORMED = {
    "empty body": raw(b""),
    "no JSON": raw(b"reference=1"),
    "half a document": raw(b'{"reference": "R"'),
    "two documents": raw(b"{} {}"),
    "NaN": text('{"lat": NaN, "lon": 5}'),
    "Infinity": text('{"lat": Infinity, "lon": 5}'),
    "invalid UTF-8": raw(b'{"reference": "\xff", "kind": "other"}'),
    "half a surrogate pair": raw(b'{"reference": "\\ud800"}'),
    "bare NUL": raw(b'{"reference": "a\x00b"}'),
    "deep lists": raw(b"[" * 30_000 + b"]" * 30_000),
    "deep objects": raw(b'{"position":' + b'{"":' * 12_000 + b"1" + b"}" * 12_001),
}
INVALID = {
    "a list": (raw(b"[]"), ""),
    "a number too large to be finite": (text('{"lat": 1e999, "lon": 5}'), "position.lat"),
    "latitude out of range": (report(position={"lat": 90.01, "lon": 5}), "position.lat"),
    "longitude out of range": (report(position={"lat": 5, "lon": -180.01}), "position.lon"),
    "swapped so that it shows": (report(position={"lat": 151.2, "lon": -33.9}), "position.lat"),
    "boolean as latitude": (report(position={"lat": True, "lon": 5}), "position.lat"),
    "text as latitude": (report(position={"lat": "52", "lon": 5}), "position.lat"),
    "negative accuracy": (report(position={**DOM, "accuracy_m": -1}), "position.accuracy_m"),
    "no position": (raw(b'{"reference": "R", "kind": "other"}'), "position"),
    "null position": (report(position=None), "position"),
    "no kind": (report(kind=None), "kind"),
    "unknown kind": (report(kind="dragon"), "kind"),
    "unknown code": (report(kind=None, code={"system": "x", "value": "1"}), "code"),
    "boolean as priority": (report(priority=True), "priority"),
    "fraction as priority": (report(priority=1.5), "priority"),
    "priority out of range": (report(priority=10), "priority"),
    "number as drill": (report(drill=1), "drill"),
    "unknown setting": (report(setting="secret"), "setting"),
    "unknown hazard": (report(hazard="maybe"), "hazard"),
    "empty reference": (report(reference=""), "reference"),
    "long reference": (report(reference="x" * 65), "reference"),
    "long address": (report(address="x" * 301), "address"),
    "escaped NUL": (
        raw(b'{"reference": "a\\u0000b", "kind": "other", "position": {"lat": 1, "lon": 1}}'),
        "reference",
    ),
    "bare DEL": (
        raw(b'{"reference": "a\x7fb", "kind": "other", "position": {"lat": 1, "lon": 1}}'),
        "reference",
    ),
    "a terminal's control of the upper half": (report(directions="\x9b2J"), "directions"),
    "the same, bare": (
        raw('{"reference": "a\x9bb", "kind": "other", "position": {"lat": 1, "lon": 1}}'.encode()),
        "reference",
    ),
    "escape character in a text": (report(directions="\x1b[2J"), "directions"),
    "extra field": (report(colour="red"), "colour"),
    "extra field inside": (report(position={**DOM, "alt": 3}), "position.alt"),
    "time without a zone": (report(called_at="2026-11-24T12:00:00"), "called_at"),
    "time as a number": (report(called_at=1795521504), "called_at"),
    "future call": (report(called_at="2099-01-01T00:00:00Z"), "called_at"),
    "ancient call": (report(called_at="1970-01-01T00:00:00Z"), "called_at"),
    "ambulance due in years": (report(ambulance_due_at="2099-01-01T00:00:00Z"), "ambulance_due_at"),
}


@pytest.fixture
async def unchanged(world: World) -> AsyncIterator[None]:
    """Nothing is changed from here to the end of the test."""
    before = await everything(world.pool)
    yield
    assert await everything(world.pool) == before


async def test_what_is_no_json_is_malformed(world: World, room: httpx.AsyncClient, unchanged: None) -> None:
    for name, request in MALFORMED.items():
        answer = await room.post("/v1/incidents", **request)
        assert (answer.status_code, problem_of(answer)["code"]) == (400, "malformed"), name


async def test_what_is_not_right_names_the_field(
    world: World, room: httpx.AsyncClient, unchanged: None
) -> None:
    for name, (request, field) in INVALID.items():
        answer = await room.post("/v1/incidents", **request)
        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid"), name
        assert [fault["field"] for fault in answer.json()["errors"]] == [field], name
        assert all(fault["title"] for fault in answer.json()["errors"]), name


async def test_what_is_to_be_one_of_a_few_words_is_told_them(world: World, room: httpx.AsyncClient) -> None:
    me = await world.client(await world.token(await world.medic()))
    for client, method, path, body, title in (
        (room, "POST", "/v1/incidents", a_report(hazard="maybe"), "must be one of none, hold, block"),
        (room, "POST", "/v1/incidents", a_report(setting="home"), "must be one of public, private"),
        (me, "PATCH", "/v1/me", {"mode": "boat"}, "must be one of foot, bicycle, car"),
    ):
        answer = await client.request(method, path, json=body)
        assert [fault["title"] for fault in answer.json()["errors"]] == [title]
    [fault] = (await room.post("/v1/incidents", json=a_report(kind="Trauma"))).json()["errors"]
    assert fault["title"].startswith("must be one of ")
    assert {"trauma", "cardiac_arrest"} <= set(fault["title"].removeprefix("must be one of ").split(", "))


async def test_a_problem_never_quotes_what_was_sent(room: httpx.AsyncClient) -> None:
    secrets = ["Jan Jansen", "+31612345678", "Kerkstraat"]
    for secret in secrets:
        for field in ("setting", "hazard", "called_at", "kind", "position"):
            answer = await room.post("/v1/incidents", json=a_report(**{field: secret}))
            assert answer.status_code == 422
            assert secret not in answer.text


async def test_a_body_over_64_kib_is_too_large_with_and_without_its_length(
    world: World, room: httpx.AsyncClient, unchanged: None
) -> None:
    ten_megabytes = b'{"reference": "' + b"x" * 10_000_000 + b'"}'
    answer = await room.post("/v1/incidents", content=ten_megabytes, headers=JSON)
    assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    answer = await room.post("/v1/incidents", content=chunks(), headers=JSON)
    assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")


async def test_another_content_type_is_unsupported(
    world: World, room: httpx.AsyncClient, unchanged: None
) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        headers = {"Content-Type": content_type}
        answer = await room.post("/v1/incidents", content=b"{}", headers=headers)
        assert (answer.status_code, problem_of(answer)["code"]) == (415, "unsupported_media_type")


async def test_unknown_things_are_not_found(world: World, room: httpx.AsyncClient, unchanged: None) -> None:
    paths = ["/v1/incidents/nothere", "/v1/incidents/" + "x" * 41, "/v1/incidents/%00", "/v1/medics/nothere"]
    for path in [*paths, "/v1/nothing", "/", "/v1/incidents/", "/v1/incidents/a/b"]:
        answer = await room.get(path)
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "not_found"), path


async def test_a_method_that_a_path_does_not_have_is_not_allowed(room: httpx.AsyncClient) -> None:
    for path, allowed in {
        "/v1/incidents": {"GET", "HEAD", "POST"},
        "/v1/incidents/any": {"GET", "HEAD", "PATCH"},
        "/v1/incidents/any/more": {"POST"},
        "/v1/events": {"GET"},
        "/v1/me": {"GET", "HEAD", "PATCH", "DELETE"},
        "/v1/me/tokens": {"DELETE"},
        "/healthz": {"GET", "HEAD"},
        "/docs": {"GET", "HEAD"},
    }.items():
        answer = await room.options(path)
        assert (answer.status_code, problem_of(answer)["code"]) == (405, "method_not_allowed"), path
        assert set(answer.headers["allow"].split(", ")) == allowed, path


async def test_head_is_answered_as_get_without_a_body(room: httpx.AsyncClient) -> None:
    """As load balancers ask."""
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    for path in ("/healthz", "/readyz", "/v1/incidents", f"/v1/incidents/{incident['id']}"):
        answer = await room.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert answer.headers["content-length"] == str(len((await room.get(path)).content)), path
    assert (await room.head("/v1/incidents/nothere")).status_code == 404
    assert (await room.head("/v1/events")).status_code == 405


async def test_a_query_that_is_not_known_is_invalid(
    world: World, room: httpx.AsyncClient, unchanged: None
) -> None:
    for query in (
        "limit=0",
        "limit=201",
        "limit=x",
        "state=dead",
        "colour=red",
        "cursor=zz",
        "limit=1&limit=2",
    ):
        answer = await room.get(f"/v1/incidents?{query}")
        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid"), query


async def test_a_query_where_none_is_known_is_invalid_but_where_it_is_open_to_all(
    world: World, room: httpx.AsyncClient
) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    one = f"/v1/incidents/{incident['id']}"
    device = await world.client(await world.token(await world.medic()))
    for client, method, path in (
        (room, "GET", one),
        (room, "GET", f"{one}/events"),
        (room, "POST", f"{one}/enough"),
        (room, "POST", "/v1/incidents"),
        (room, "GET", "/v1/events"),
        (device, "GET", "/v1/me"),
        (device, "DELETE", "/v1/me"),
    ):
        answer = await client.request(method, f"{path}?colour=red")
        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid"), path
        assert answer.json()["errors"][0]["field"] == "colour", path
    assert (await device.get("/v1/me")).status_code == 200
    for path in ("/healthz", "/metrics"):
        assert (await room.get(f"{path}?colour=red")).status_code == 200


async def test_bad_changes_to_an_incident_change_nothing(world: World, room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    before = await everything(world.pool)
    path = f"/v1/incidents/{incident['id']}"
    for body in (
        {"kind": "dragon"},
        {"position": {"lat": 99, "lon": 0}},
        {"reference": "new"},
        {"kind": None},
    ):
        assert (await room.patch(path, json=body)).status_code == 422, body
    for body in ({"count": 0}, {"count": 21}, {"count": True}, {"count": "1"}, {}):
        assert (await room.post(f"{path}/more", json=body)).status_code == 422, body
    answer = await room.patch(path, json={"ambulance_arrived_at": "2099-01-01T00:00:00Z"})
    assert answer.json()["errors"][0]["field"] == "ambulance_arrived_at"
    assert (await room.post(f"{path}/close", content=b"[1]")).status_code == 422
    assert await everything(world.pool) == before


async def test_bad_positions_of_a_medic_change_nothing(world: World) -> None:
    me = await world.client(await world.token(await world.medic()))
    before = await everything(world.pool)
    now = "2026-11-24T12:00:00Z"
    bodies: list[dict[str, Any]] = [
        {"lat": 91, "lon": 5, "at": now},
        {"lat": True, "lon": 5, "at": now},
        {"lat": 52, "lon": 5},
        {"lat": 52, "lon": 5, "at": "2099-01-01T00:00:00Z"},
        {"lat": 52, "lon": 5, "at": "1999-01-01T00:00:00Z"},
        {"lat": 52, "lon": 5, "at": now, "speed": 3},
    ]
    for body in bodies:
        answer = await me.put("/v1/me/position", json=body)
        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid"), body
    assert (await me.put("/v1/me/position", content=b"NaN", headers=JSON)).status_code == 400
    assert await everything(world.pool) == before
