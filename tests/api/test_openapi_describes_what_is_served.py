"""OpenAPI, the page and docs/api.md: all that is served, with the shapes that really parse and write."""

import re
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from dispatch.api.problem import STATUS_AND_TITLE
from dispatch.core.events import AnyEvent
from tests.api.world import World, a_report

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


@pytest.fixture
async def openapi(world: World) -> dict[str, Any]:
    answer = await (await world.client()).get("/openapi.json")
    assert answer.status_code == 200
    whole: dict[str, Any] = answer.json()
    return whole


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(inner) for inner in value.values()))
    return set().union(*(references(inner) for inner in value)) if isinstance(value, list) else set()


async def test_every_reference_leads_somewhere(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    found = references(openapi)
    assert found
    assert {name.removeprefix("#/components/schemas/") for name in found} <= set(schemas)


async def test_every_operation_is_served_and_documented(openapi: dict[str, Any]) -> None:
    for path, methods in openapi["paths"].items():
        documented = re.sub(r"\{\w+\}", "{id}", path)
        last = documented.rsplit("/", 1)[1]
        assert documented in DOCS or f"/{last}`" in DOCS or f"`/{last}`" in DOCS, path
        for one in methods.values():
            assert one["summary"]
            assert one["responses"]["default"]["content"]["application/problem+json"]
            assert not any(status == "422" for status in one["responses"]), "no validation of FastAPI's own"


async def test_only_what_needs_no_key_is_open(openapi: dict[str, Any], world: World) -> None:
    client = await world.client()
    opened = {
        (method.upper(), path)
        for path, methods in openapi["paths"].items()
        for method, one in methods.items()
        if "security" not in one
    }
    assert opened == {
        ("POST", "/v1/enrolments"),
        ("POST", "/v1/enrolments/confirm"),
        ("POST", "/v1/twilio/status"),
        ("POST", "/v1/twilio/sms"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    }
    for path, methods in openapi["paths"].items():
        for method in methods:
            if (method.upper(), path) not in opened:
                answer = await client.request(method, re.sub(r"\{\w+\}", "x", path))
                assert answer.status_code == 401, (method, path)


async def test_readyz_has_its_own_shape_when_it_is_not_ready_too(openapi: dict[str, Any]) -> None:
    responses = openapi["paths"]["/readyz"]["get"]["responses"]
    assert responses["503"] == responses["200"]


async def test_an_incident_has_the_fields_of_its_schema(
    openapi: dict[str, Any], room: httpx.AsyncClient
) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    schema = openapi["components"]["schemas"]["Incident"]
    assert list(incident) == list(schema["properties"])
    assert set(schema["required"]) == set(incident)


async def test_a_repeats_answer_is_described(openapi: dict[str, Any], room: httpx.AsyncClient) -> None:
    """A client made from it would else take the repeat's 200 for a problem."""
    anna = {"name": "Anna", "phone": "+31612345678"}
    for path, body in (("/v1/incidents", a_report()), ("/v1/medics", anna)):
        responses = openapi["paths"][path]["post"]["responses"]
        for _ in range(2):
            answer = await room.post(path, json=body, headers={"Idempotency-Key": path})
            described = responses[str(answer.status_code)]["content"]["application/json"]["schema"]["$ref"]
            schema = openapi["components"]["schemas"][described.rsplit("/", 1)[1]]
            assert list(answer.json()) == list(schema["properties"])


async def test_the_page_needs_no_other_site(world: World) -> None:
    page = await (await world.client()).get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script" not in page.text
    for code in STATUS_AND_TITLE:
        assert f'id="{code}"' in page.text


def test_every_problem_and_every_event_is_documented() -> None:
    for code in STATUS_AND_TITLE:
        assert f"`{code}`" in DOCS, code
    for event in get_args(AnyEvent):
        assert f"`{event.__name__}`" in DOCS, event
