"""Whether the process lives, whether it can do its work, and its figures: open to all, and about nobody."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dispatch.api.reading import query_of
from dispatch.api.routes import Operation
from dispatch.check import Check
from dispatch.metrics import CONTENT_TYPE, Metrics


class Readiness(msgspec.Struct, frozen=True):
    """``ready``: all that is needed is ok."""

    ready: bool
    checks: Sequence[Check]


class Alive(msgspec.Struct, frozen=True):
    alive: bool = True


class HealthApi:
    def __init__(self, checks: Callable[[], Awaitable[Sequence[Check]]], metrics: Metrics) -> None:
        self._checks = checks
        self._metrics = metrics

    def operations(self) -> list[Operation]:
        return [
            Operation("GET", "/healthz", self.healthz, "The process lives", None, answer=Alive, work=None),
            Operation(
                "GET",
                "/readyz",
                self.readyz,
                "It can do its work; 503 with the same body when not. `exclude`: checks that do not count",
                None,
                answer=Readiness,
                or_status=503,
                query=("exclude",),
                work=None,
            ),
            Operation(
                "GET",
                "/metrics",
                self.metrics,
                "Figures for Prometheus",
                None,
                media_type="text/plain",
                work=None,
            ),
        ]

    async def healthz(self, _request: Request) -> Response:
        return Response(msgspec.json.encode(Alive()), media_type="application/json")

    async def readyz(self, request: Request) -> Response:
        """A load balancer excludes the watchdog: its one device is no reason to take all nodes away."""
        excluded = query_of(request, "exclude").get("exclude", "").split(",")
        checks = await self._checks()
        ready = all(check.ok for check in checks if check.needed and check.name not in excluded)
        headers = {} if ready else {"Retry-After": "1"}
        body = msgspec.json.encode(Readiness(ready, checks))
        return Response(body, 200 if ready else 503, headers, "application/json")

    async def metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})
