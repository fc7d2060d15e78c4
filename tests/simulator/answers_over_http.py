"""What a medic's device asks over HTTP, taken by the service's own routes (`dispatch.api.medic`).

Unrealistic: a token is its medic's id, nobody asks too often, and nothing is shed.
"""

from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.types import Message

from dispatch.api.access import Access
from dispatch.api.medic import MedicApi
from dispatch.api.routes import Handler
from dispatch.service.node import Node


class Bearer:
    """Stands in for `Access`: whoever names a medic is her device."""

    async def medic(self, request: Request) -> str:
        return request.headers["authorization"].removeprefix("Bearer ")


class DeviceRoutes:
    """Raises what the routes raise before it becomes a problem: Refused, LookupError, Unavailable."""

    def __init__(self, node: Node) -> None:
        nobody = cast(Any, None)  # enrolment and signing out are left out
        access = cast(Access, Bearer())
        api = MedicApi(access, node.dispatcher, nobody, nobody, node.hub, node.pool, node.clock.now_ms)
        self._handlers: dict[tuple[str, str], Handler] = {
            (one.method, one.path): one.handler for one in api.operations()
        }

    async def say(self, medic_id: str, alert_id: str, word: str) -> tuple[str, str]:
        """POST: the alert it counts for and its state, after the commit."""
        path = f"/v1/me/alerts/{{alert_id}}/{word}"
        told = await self._ask("POST", path, medic_id, alert_id=alert_id)
        return told["alert_id"], told["state"]

    async def alerts(self, medic_id: str) -> list[dict[str, Any]]:
        """GET: what her device is to show, each as the frame of an alert, with its state."""
        told = await self._ask("GET", "/v1/me/alerts", medic_id)
        items: list[dict[str, Any]] = told["items"]
        return items

    async def _ask(self, method: str, path: str, medic_id: str, **named: str) -> Any:
        scope = {
            "type": "http",
            "method": method,
            "path": path.format(**named),
            "path_params": named,
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {medic_id}".encode())],
        }
        response = await self._handlers[method, path](Request(scope, _no_body))
        return msgspec.json.decode(bytes(response.body))


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
