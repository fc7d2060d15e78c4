"""OpenAPI at ``/openapi.json`` and a page to read at ``/docs``, both drawn from the operations.

FastAPI's own page loads its scripts from elsewhere; a control room's network may have no elsewhere, so ours
is plain HTML without a script.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dispatch.api.once import HEADER as ONCE
from dispatch.api.problem import MEDIA_TYPE, STATUS_AND_TITLE, ProblemDocument
from dispatch.api.routes import DEVICE, Operation

REFERENCE = "#/components/schemas/{name}"
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A control room's API key."},
    "device": {"type": "http", "scheme": "bearer", "description": "A medic's device token."},
}
_QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "state": ("`open`, `held`, `closed`, `cancelled`, or `live` (open and held)", {"type": "string"}),
    "reference": ("The control room's own reference", {"type": "string"}),
    "limit": ("How many", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    "cursor": ("`next_cursor` of the page before", {"type": "string"}),
    "notification": ("The notification that the status is of", {"type": "string"}),
    "exclude": ("Names of checks that do not count, with commas between", {"type": "string"}),
}
_HEADERS = {
    ONCE: "At most 200 characters, kept 24 h: the same request again does nothing twice",
    "Last-Event-ID": "Resume right after this feed position; `0`: from the beginning; none: from now on",
    "X-Twilio-Signature": "Twilio's signature of this request",
}


def add_operations(app: FastAPI, operations: Sequence[Operation]) -> None:
    """Routes of all operations, ``/openapi.json`` and ``/docs``."""
    for one in operations:
        app.router.add_api_route(one.path, _never_called, methods=sorted(one.allowed), response_model=None)
    _add_pages(app, operations)


def _add_pages(app: FastAPI, operations: Sequence[Operation]) -> None:
    """Drawn when somebody asks, beside the loop: few do, and every start would wait for it."""

    @cache
    def drawn() -> tuple[bytes, str]:
        whole = _described_all(app.title, app.version, operations)
        return msgspec.json.encode(whole), _page(whole)

    async def openapi(_request: Request) -> Response:
        body, _ = await asyncio.to_thread(drawn)
        return Response(body, media_type="application/json")

    async def docs(_request: Request) -> Response:
        _, html = await asyncio.to_thread(drawn)
        return HTMLResponse(html)

    app.router.add_route("/openapi.json", openapi, methods=["GET"])
    app.router.add_route("/docs", docs, methods=["GET"])


def _described_all(title: str, version: str, operations: Sequence[Operation]) -> dict[str, Any]:
    shapes, components = _components(operations)
    router = APIRouter()
    for one in operations:
        router.add_api_route(
            one.path,
            _never_called,
            methods=[one.method],
            summary=one.summary,
            status_code=one.status,
            response_model=None,
            operation_id=_operation_id(one),
            openapi_extra=_described(one, shapes),
        )
    whole = get_openapi(title=title, version=version, routes=router.routes)
    whole["components"] = {"schemas": components, "securitySchemes": SECURITY}
    return whole


async def _never_called() -> None:  # requests go past it (`Shortcut`); FastAPI would show a docstring
    raise NotImplementedError


def _components(operations: Iterable[Operation]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    types = list(
        dict.fromkeys([ProblemDocument, *(t for one in operations for t in (one.body, one.answer) if t)])
    )
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    return dict(zip(types, schemas, strict=True)), components


def _operation_id(one: Operation) -> str:
    words = [word.strip("{}") for word in one.path.split("/") if word not in ("", "v1")]
    return "_".join([one.method.lower(), *words]).replace("-", "_").replace(".", "_")


def _described(one: Operation, shapes: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {"parameters": _parameters(one), "responses": _responses(one, shapes)}
    if one.access is not None:
        described["security"] = [{"device": []} if one.access == DEVICE else {"key": []}]
        described["description"] = "" if one.access == DEVICE else f"Scope: `{one.access}`."
    if one.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": shapes[one.body]}},
        }
    return described


def _parameters(one: Operation) -> list[dict[str, Any]]:
    path = [
        {"name": word.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
        for word in one.path.split("/")
        if word.startswith("{")
    ]
    query = [
        {"name": name, "in": "query", "description": _QUERY[name][0], "schema": _QUERY[name][1]}
        for name in one.query
    ]
    headers = [
        {"name": name, "in": "header", "description": _HEADERS[name], "schema": {"type": "string"}}
        for name in one.headers
    ]
    return path + query + headers


def _responses(one: Operation, shapes: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    content = {one.media_type: {"schema": shapes[one.answer] if one.answer else {}}}
    good: dict[str, Any] = {"description": "Done"}
    if one.status != 204:
        good["content"] = content
    problem = {"content": {MEDIA_TYPE: {"schema": shapes[ProblemDocument]}}}
    refusals: dict[str, list[str]] = {}
    for code in one.refusals:
        refusals.setdefault(str(STATUS_AND_TITLE[code][0]), []).append(f"`{code}`")
    named = {status: {"description": ", ".join(codes), **problem} for status, codes in refusals.items()}
    beside = {str(one.or_status): good} if one.or_status is not None else {}
    again = {"200": {**good, "description": "A repeat: the thing as it now is"}} if _repeats(one) else {}
    return {
        str(one.status): good,
        **again,
        **beside,
        **named,
        "default": {"description": "A problem (RFC 9457)", **problem},
    }


def _repeats(one: Operation) -> bool:
    """Whether its repeat is answered otherwise than the first: nothing is made then."""
    return ONCE in one.headers and one.status != 200


def _page(whole: dict[str, Any]) -> str:
    title = escape(whole["info"]["title"])
    operations = [
        f"<li><code>{method.upper()} {escape(path)}</code> {escape(one['summary'])} "
        f"<small>{escape(one.get('description', ''))}</small></li>"
        for path, methods in whole["paths"].items()
        for method, one in methods.items()
    ]
    problems = [
        f'<li id="{code}"><code>{status} {code}</code> {escape(text)}</li>'
        for code, (status, text) in STATUS_AND_TITLE.items()
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "code{background:#eee;padding:0 .2em}</style></head><body>"
        f'<h1>{title}</h1><p>The shapes are in <a href="/openapi.json">OpenAPI</a>.</p>'
        f"<h2>Operations</h2><ul>{''.join(operations)}</ul>"
        "<p><code>WS /v1/me/socket</code> a medic's device</p>"
        f"<h2>Problems</h2><ul>{''.join(problems)}</ul></body></html>"
    )
